import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../../../../formats/engine/source.ts';
import { kernelFacts } from '../../../../formats/kernel/kernel.ts';
import { akiModule, ariModule } from '../../../../formats/kernel/module.ts';
import { ramdiskFacts } from '../../../../formats/kernel/ramdisk.ts';

const at = (offset: number, text: string, size = 4096) => {
  const bytes = Buffer.alloc(size);
  bytes.write(text, offset, 'latin1');
  return bytes;
};

function bzImage(): Buffer {
  const bytes = at(0x202, 'HdrS');
  bytes.writeUInt16BE(0x55aa, 510);
  bytes.writeUInt16LE(0x20f, 0x206);
  bytes.writeUInt16LE(0x400, 0x20e);
  bytes.writeUInt16LE(1, 0x236);
  bytes.write('6.12.0-1-cloud-amd64 (builder@host) #1 SMP', 0x600);
  return bytes;
}

function elf(machine: number, little: boolean): Buffer {
  const bytes = at(0, '\x7fELF');
  bytes[4] = 2;
  bytes[5] = little ? 1 : 2;
  if (little) bytes.writeUInt16LE(machine, 18);
  else bytes.writeUInt16BE(machine, 18);
  return bytes;
}

describe('a kernel', () => {
  it.each([
    [
      'bzImage',
      bzImage(),
      { kernel: 'linux-x86', architecture: 'x86_64', kernelVersion: '6.12.0-1-cloud-amd64', bootProtocol: '2.15' },
    ],
    ['ELF of x86', elf(62, true), { kernel: 'elf', architecture: 'x86_64' }],
    ['ELF of s390x, big-endian', elf(22, false), { kernel: 'elf', architecture: 's390x' }],
    ['ELF of something else', elf(9999, true), { kernel: 'elf' }],
    [
      'EFI zboot',
      Buffer.concat([Buffer.from('MZ\0\0zimg'), at(16, 'zstd')]),
      { kernel: 'efi-zboot', compression: 'zstd' },
    ],
    ['ARM64 Image', at(0x38, 'ARMd'), { kernel: 'linux-arm64', architecture: 'aarch64' }],
    ['RISC-V Image', at(0x38, 'RSC\x05'), { kernel: 'linux-riscv', architecture: 'riscv64' }],
    ['nothing', Buffer.alloc(4096), undefined],
  ])('%s', (_, bytes, facts) => {
    expect(kernelFacts(bytes)).toEqual(facts);
  });

  it('opens as its own bytes, with facts under stable names', async () => {
    const bytes = bzImage();
    const window = { head: bytes, tail: bytes, size: bytes.length };

    expect(await akiModule.inspect(memorySource(bytes), window)).toMatchObject({
      virtualSize: bytes.length,
      findings: [],
      details: { kernel: 'linux-x86', kernel_version: '6.12.0-1-cloud-amd64', boot_protocol: '2.15' },
    });
    expect((await akiModule.open!(memorySource(bytes))).virtualSize).toBe(bytes.length);
  });

  it('has no version when the pointer leads out of the header', () => {
    const bytes = bzImage();
    bytes.writeUInt16LE(0xffff, 0x20e);

    expect(kernelFacts(bytes)).not.toHaveProperty('kernelVersion');
  });
});

describe('a ramdisk', () => {
  const cpio = Buffer.concat([Buffer.from('070701'), Buffer.alloc(300_000, 'x')]);
  const noise = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i * 7919) >> 7));
  noise.write('070701');
  it.each([
    ['cpio newc', cpio, { ramdisk: 'cpio' }],
    ['cpio with checksums', Buffer.from('070702...'), { ramdisk: 'cpio' }],
    ['gzip', gzipSync(cpio), { ramdisk: 'cpio', compression: 'gzip' }],
    ['zstd', zstdCompressSync(cpio), { ramdisk: 'cpio', compression: 'zstd' }],
    ['zstd of incompressible data', zstdCompressSync(noise), { ramdisk: 'cpio', compression: 'zstd' }],
    ['gzip of something else', gzipSync('hello'), undefined],
    ['zstd of something else', zstdCompressSync(Buffer.from('hello')), undefined],
    ['a broken gzip', Buffer.from('\x1f\x8b\x08 rubbish', 'latin1'), undefined],
  ])('%s', (_, bytes, facts) => {
    // What a probe is given is at most 68 KiB, so the stream is usually cut off.
    expect(ramdiskFacts(bytes.subarray(0, 69_632))).toEqual(facts);
  });

  it('of whatever bytes behind a magic is answered without an exception', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('\x1f\x8b\x08', '\x28\xb5\x2f\xfd'),
        fc.uint8Array({ maxLength: 5000 }),
        (magic, noise) => {
          const bytes = Buffer.concat([Buffer.from(magic, 'latin1'), noise]);
          ramdiskFacts(bytes);
          expect(ariModule.probe({ head: bytes, tail: bytes, size: bytes.length })).toBe(
            ramdiskFacts(bytes) !== undefined,
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});
