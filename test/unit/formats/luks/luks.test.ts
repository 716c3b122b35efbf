import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../../../../formats/engine/source.ts';
import { probeWindow } from '../../../../formats/engine/window.ts';
import { luksModule } from '../../../../formats/luks/module.ts';

const SIZE = 64 * 1024;

function luks(version: number, change: (header: Buffer) => void = () => undefined): Buffer {
  const bytes = Buffer.alloc(SIZE);
  bytes.write('LUKS\xba\xbe', 0, 'latin1');
  bytes.writeUInt16BE(version, 6);
  if (version === 1) {
    bytes.write('aes', 8);
    bytes.write('xts-plain64', 40);
    bytes.write('sha256', 72);
    bytes.writeUInt32BE(8, 104);
    bytes.writeUInt32BE(64, 108);
  } else {
    bytes.writeBigUInt64BE(16384n, 8);
    bytes.write('a label', 24);
    bytes.write('sha256', 72);
  }
  bytes.write('7e7e7e7e-0000-4000-8000-000000000000', 168);
  change(bytes);
  return bytes;
}

async function inspect(bytes: Uint8Array) {
  const source = memorySource(bytes);
  return luksModule.inspect(source, await probeWindow(source));
}

describe('a LUKS container', () => {
  it('of version 1 tells cipher, key and payload', async () => {
    expect(await inspect(luks(1))).toMatchObject({
      format: 'luks',
      virtualSize: SIZE,
      findings: [{ code: 'luks_container', severity: 'info' }],
      details: {
        encrypted: true,
        luks_version: 1,
        cipher: 'aes-xts-plain64',
        hash: 'sha256',
        key_bits: 512,
        payload_offset: 4096,
        payload_size: SIZE - 4096,
        uuid: '7e7e7e7e-0000-4000-8000-000000000000',
      },
    });
  });

  it('of version 2 tells its label', async () => {
    expect(await inspect(luks(2))).toMatchObject({
      findings: [{ code: 'luks_container' }],
      details: { luks_version: 2, label: 'a label', header_size: 16384 },
    });
  });

  it('is never opened', () => {
    expect(luksModule.open).toBeUndefined();
  });

  it.each<[string, Buffer, object]>([
    ['a payload that is empty', luks(1, (header) => header.writeUInt32BE(SIZE / 512, 104)), { payload_size: 0 }],
    ['nothing but a header', luks(1, (header) => header.writeUInt32BE(1, 104)).subarray(0, 592), { payload_size: 80 }],
    [
      'two headers that fill it',
      luks(2, (header) => header.writeBigUInt64BE(BigInt(SIZE / 2), 8)),
      { header_size: SIZE / 2 },
    ],
  ])('is accepted with %s', async (_, bytes, details) => {
    expect(await inspect(bytes)).toMatchObject({ findings: [{ code: 'luks_container' }], details });
  });

  it('is known by all of its magic', async () => {
    const bytes = luks(1);

    expect(luksModule.probe(await probeWindow(memorySource(bytes)))).toBe(true);
    for (let at = 0; at < 6; at++) {
      const other = Buffer.from(bytes);
      other.writeUInt8(0, at);
      expect(luksModule.probe(await probeWindow(memorySource(other)))).toBe(false);
    }
  });

  it.each<[string, Buffer, string]>([
    ['an unknown version', luks(3), 'luks_version'],
    ['a version of two bytes', luks(1, (header) => header.writeUInt16BE(257, 6)), 'luks_version'],
    ['a payload past the end', luks(1, (header) => header.writeUInt32BE(SIZE / 512 + 1, 104)), 'truncated'],
    ['a payload over the header', luks(1, (header) => header.writeUInt32BE(0, 104)), 'corrupt'],
    ['less than a header', luks(1).subarray(0, 300), 'truncated'],
    ['headers past the end', luks(2, (header) => header.writeBigUInt64BE(65536n, 8)), 'truncated'],
    ['a header above 4 MiB', luks(2, (header) => header.writeBigUInt64BE(1n << 30n, 8)), 'limit_exceeded'],
    ['a header above 2^53', luks(2, (header) => header.writeBigUInt64BE(1n << 60n, 8)), 'corrupt'],
    ['a header that is too small', luks(2, (header) => header.writeBigUInt64BE(512n, 8)), 'corrupt'],
  ])('is refused for %s', async (_, bytes, code) => {
    expect((await inspect(bytes)).findings).toMatchObject([{ code, severity: 'refuse' }]);
  });

  it('gives facts whatever its header holds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), async (noise) => {
        const bytes = Buffer.concat([Buffer.from('LUKS\xba\xbe\0', 'latin1'), noise]);
        expect((await inspect(bytes)).findings.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });
});
