import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../../../../formats/engine/source.ts';
import { isKernelHead, kernelFacts } from '../../../../formats/kernel/kernel.ts';
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

/** A zstd frame (RFC 8878) of one raw block, which is not its last, and something that is no block behind it. */
function zstdRaw(length: number): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE(length << 3, 0, 3);
  // No content size, a window of 128 KiB.
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]);
  return Buffer.concat([frame, header, Buffer.from('070701'.padEnd(length, 'x')), Buffer.alloc(50, 0xff)]);
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
    expect(kernelFacts(bytes)).toStrictEqual(facts);
    expect(isKernelHead(bytes)).toBe(facts !== undefined);
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

describe('what a kernel says of itself', () => {
  const patched = (patch: (bytes: Buffer) => void, bytes = bzImage()): Buffer => {
    patch(bytes);
    return bytes;
  };
  const of = (bytes: Buffer, size = bytes.length) => kernelFacts(bytes.subarray(0, size));

  it.each([
    [3, 'i686'],
    [20, 'ppc'],
    [21, 'ppc64'],
    [22, 's390x'],
    [40, 'armv7l'],
    [62, 'x86_64'],
    [183, 'aarch64'],
    [243, 'riscv64'],
    [258, 'loongarch64'],
  ])('ELF machine %d is %s', (machine, architecture) => {
    expect(of(elf(machine, true))).toEqual({ kernel: 'elf', architecture });
  });

  it.each([
    ['an ELF that is cut before its header ends', of(elf(62, true), 63), undefined],
    ['an ELF header and nothing else', of(elf(62, true), 64), { kernel: 'elf', architecture: 'x86_64' }],
    ['a byte order and no ELF', of(at(5, '\x01')), undefined],
    ['an ELF of no byte order', of(patched((bytes) => bytes.writeUInt8(0, 5), elf(62, true))), undefined],
    ['a bzImage that is cut before its version pointer', of(bzImage(), 0x217), undefined],
    ['one that is cut behind it', of(bzImage(), 0x218), { kernel: 'linux-x86', bootProtocol: '2.15' }],
    ['one that is cut within its load flags', of(bzImage(), 0x237)?.architecture, undefined],
    ['one that is cut behind them', of(bzImage(), 0x238)?.architecture, 'x86_64'],
    ['the protocol before load flags', of(patched((b) => b.writeUInt16LE(0x20b, 0x206)))?.architecture, undefined],
    ['the first with load flags', of(patched((b) => b.writeUInt16LE(0x20c, 0x206)))?.architecture, 'x86_64'],
    ['load flags of 32 bits', of(patched((b) => b.writeUInt16LE(0x7e, 0x236)))?.architecture, 'i686'],
    ['a protocol of one digit', of(patched((b) => b.writeUInt16LE(0x203, 0x206)))?.bootProtocol, '2.03'],
    [
      'no pointer to a version',
      of(patched((b) => void [b.write('x ', 0x200), b.writeUInt16LE(0, 0x20e)])),
      {
        ...{ kernel: 'linux-x86', architecture: 'x86_64', bootProtocol: '2.15' },
      },
    ],
    [
      'a version that begins with a control character',
      of(patched((b) => b.write('\x01x', 0x600)))?.kernelVersion,
      undefined,
    ],
    ['one that ends with one', of(patched((b) => b.write('x\x01 ', 0x600)))?.kernelVersion, undefined],
    ['MZ alone', of(at(0, 'MZ')), undefined],
    ['zimg alone', of(at(4, 'zimg')), undefined],
    ['a zboot without a compression', of(patched((b) => b.write('zimg', 4), at(0, 'MZ'))), { kernel: 'efi-zboot' }],
  ])('%s', (_, found, facts) => {
    expect(found).toStrictEqual(facts);
  });

  it.each([
    ['zboot', Buffer.concat([Buffer.from('MZ\0\0zimg'), at(16, 'zstd')]), { kernel: 'efi-zboot', compression: 'zstd' }],
    [
      'bzImage',
      bzImage(),
      {
        ...{
          kernel: 'linux-x86',
          architecture: 'x86_64',
          kernel_version: '6.12.0-1-cloud-amd64',
          boot_protocol: '2.15',
        },
      },
    ],
    ['ELF of something else', elf(9999, true), { kernel: 'elf' }],
  ])('is told by the image: %s', async (_, bytes, details) => {
    const window = { head: bytes, tail: bytes, size: bytes.length };

    expect(akiModule.probe(window)).toBe(true);
    expect(await akiModule.inspect(memorySource(bytes), window)).toStrictEqual({
      ...{ format: 'aki', virtualSize: bytes.length, subformat: details.kernel, findings: [], details },
    });
  });
});

describe('images', () => {
  const cpio = Buffer.from('070701 and so on');

  it.each([
    ['aki', akiModule, bzImage(), 'aki: no kernel header'],
    ['ari', ariModule, cpio, 'ari: no cpio archive'],
  ])(
    '%s: what is none is taken for one, and said to be unknown; what is one opens as its own bytes',
    async (format, module, bytes, message) => {
      const none = Buffer.from('something else altogether');
      const windowOf = (head: Buffer) => ({ head, tail: head, size: head.length });

      expect(module.safetyRules).toEqual(['unknown_kernel']);
      expect([module.probe(windowOf(none)), module.probe(windowOf(bytes))]).toEqual([false, true]);
      expect(await module.inspect(memorySource(none), windowOf(none))).toMatchObject({
        ...{ format, virtualSize: none.length, details: {} },
        findings: [{ code: 'unknown_kernel', severity: 'info', message: expect.stringContaining(message) }],
      });
      expect(await module.inspect(memorySource(bytes), windowOf(bytes))).toMatchObject({ format, findings: [] });
      expect(await module.open?.(memorySource(bytes))).toMatchObject({ format, virtualSize: bytes.length });
    },
  );

  it('a ramdisk tells its compression', async () => {
    const head = gzipSync(cpio);

    expect(await ariModule.inspect(memorySource(head), { head, tail: head, size: head.length })).toEqual({
      ...{ format: 'ari', virtualSize: head.length, findings: [], details: { ramdisk: 'cpio', compression: 'gzip' } },
    });
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
    ['zstd of a small raw block', zstdRaw(40), { ramdisk: 'cpio', compression: 'zstd' }],
    ['zstd of a large raw block', zstdRaw(70_000).subarray(0, 69_000), { ramdisk: 'cpio', compression: 'zstd' }],
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
