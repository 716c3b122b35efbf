import { crc32, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CompressionKind,
  compressionOf,
  type DecompressLimits,
  openDecompressor,
} from '../../../../../formats/engine/decompress/decompress.ts';
import { FormatError } from '../../../../../formats/engine/errors.ts';
import { type ByteSource, memorySource } from '../../../../../formats/engine/source.ts';
import { XZ_BYTES, XZ_DATA, zip } from '../../../../support/archives.ts';
import { BZIP2 } from '../../../../support/bzip2-files.ts';

const DATA = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i * 7919) >> 9));
const NO_LIMIT: DecompressLimits = { maxOutputBytes: 1 << 30 };

async function expand(kind: CompressionKind, bytes: Uint8Array | ByteSource, limits = NO_LIMIT): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const source = bytes instanceof Uint8Array ? memorySource(bytes) : bytes;
  for await (const chunk of openDecompressor(kind)(source, limits)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The stream with one byte changed, and the CRC of its first block header made right again. */
function xzPatched(at: number, value: number): Buffer {
  const bytes = Buffer.from(XZ_BYTES);
  bytes[at] = value;
  const end = 12 + (bytes[12]! + 1) * 4 - 4;
  bytes.writeUInt32LE(crc32(bytes.subarray(12, end)), end);
  return bytes;
}

const skippable = Buffer.concat([Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0]), Buffer.from('hello')]);

/** As `xz --check=sha256` writes it. */
const XZ_SHA256 = Buffer.from(
  '/Td6WFoAAArh+wyhAgAhARYAAAB0L+Wj4AFdAD5dADYaSh8IoCYDTQad7+2IoMErkgmESbJhpB2MKmTfxW17awPmikrdsh7anQ1TgnFYB1RYPDyvowyNTXroFicgAAAAKnHyXy0amBm63Om4dkh/7s24O0fY96BfZ680R6QSv80AAXLeAgAAAKRxcxm26d8cAgAAAAAKWVo=',
  'base64',
);

/** A stream whose first block begins with a filter (of one byte of properties) before LZMA2; nothing behind its header is read. */
function xzWithFilter(id: number): Buffer {
  const stream = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4, 0, 0, 0, 0]);
  stream.writeUInt32LE(crc32(stream.subarray(6, 8)), 8);
  const block = Buffer.alloc(16);
  block.set([3, 1, id, 1, 0, 0x21, 1, 0x16]);
  block.writeUInt32LE(crc32(block.subarray(0, 12)), 12);
  return Buffer.concat([stream, block, Buffer.alloc(64)]);
}

describe('decompression', () => {
  const twice = Buffer.concat([DATA, DATA]);
  it.each<[string, CompressionKind, Buffer, Buffer]>([
    ['gzip', 'gzip', gzipSync(DATA), DATA],
    ['gzip of two members', 'gzip', Buffer.concat([gzipSync(DATA), gzipSync(DATA)]), twice],
    ['gzip padded with zeros', 'gzip', Buffer.concat([gzipSync(DATA), Buffer.alloc(1000)]), DATA],
    ['zstd', 'zstd', zstdCompressSync(DATA), DATA],
    ['zstd of a run', 'zstd', zstdCompressSync(Buffer.alloc(1 << 20)), Buffer.alloc(1 << 20)],
    ['zstd of nothing', 'zstd', zstdCompressSync(Buffer.alloc(0)), Buffer.alloc(0)],
    ['zstd of two frames', 'zstd', Buffer.concat([zstdCompressSync(DATA), zstdCompressSync(DATA)]), twice],
    ['zstd among skippable frames', 'zstd', Buffer.concat([skippable, zstdCompressSync(DATA), skippable]), DATA],
    ['zstd padded with zeros', 'zstd', Buffer.concat([zstdCompressSync(DATA), Buffer.alloc(99)]), DATA],
    ['xz', 'xz', XZ_BYTES, XZ_DATA],
    ['xz of two streams', 'xz', Buffer.concat([XZ_BYTES, XZ_BYTES]), Buffer.concat([XZ_DATA, XZ_DATA])],
    ['bzip2', 'bzip2', BZIP2, XZ_DATA],
    ['zip, deflated', 'zip', zip(DATA), DATA],
    ['zip, stored', 'zip', zip(DATA, { method: 0 }), DATA],
    ['zip with a comment', 'zip', zip(DATA, { comment: 'PK\x05\x06 is not the end' }), DATA],
    ['zip64', 'zip', zip(DATA, { zip64: true }), DATA],
    ['zip with folders', 'zip', zip(DATA, { name: 'a/b/disk.raw', beside: ['a/', 'a/b/'] }), DATA],
    ['zip from macOS', 'zip', zip(DATA, { beside: ['__MACOSX/', '__MACOSX/._disk.raw'] }), DATA],
  ])('of %s', async (_, kind, bytes, expected) => {
    expect(compressionOf(bytes.subarray(0, 16))).toBe(kind);
    expect((await expand(kind, bytes)).equals(expected)).toBe(true);
  });

  it('of lha is named and refused', () => {
    expect(() => openDecompressor('lha')).toThrow(expect.objectContaining({ kind: 'Unsupported' }));
  });

  it.each([
    [
      'the integrity check SHA-256',
      XZ_SHA256,
      'xz: the integrity check SHA-256 is not supported, pack it with --check=crc64',
    ],
    ['the filter delta', xzWithFilter(3), 'xz: the filter delta is not supported, pack it with LZMA2 alone'],
    ['the filter x86', xzWithFilter(4), 'xz: the filter x86 is not supported, pack it with LZMA2 alone'],
    [
      'a filter that nobody knows',
      xzWithFilter(0x3f),
      'xz: a filter or option of the stream is not supported, pack it with LZMA2 alone',
    ],
  ])('of xz with %s says so', async (_, bytes, message) => {
    await expect(expand('xz', bytes)).rejects.toMatchObject({ kind: 'Unsupported', message });
  });

  it('names LHA by its method', () => {
    expect(compressionOf(Buffer.from('##-lh5-####'))).toBe('lha');
    expect(compressionOf(Buffer.from('nothing known'))).toBeUndefined();
  });

  const damaged = Buffer.from(gzipSync(DATA));
  damaged.fill(0, 1000, 1100);
  it.each<[string, CompressionKind, Buffer, string]>([
    ['gzip cut off', 'gzip', gzipSync(DATA).subarray(0, -9), 'Truncated'],
    ['gzip damaged', 'gzip', damaged, 'Corrupt'],
    ['gzip with something behind', 'gzip', Buffer.concat([gzipSync(DATA), Buffer.from('rubbish')]), 'Corrupt'],
    ['zstd cut off in a block', 'zstd', zstdCompressSync(DATA).subarray(0, -9), 'Truncated'],
    ['zstd cut off in its header', 'zstd', zstdCompressSync(DATA).subarray(0, 5), 'Truncated'],
    ['zstd with something behind', 'zstd', Buffer.concat([zstdCompressSync(DATA), Buffer.from('rubbish')]), 'Corrupt'],
    [
      'zstd with something behind zeros',
      'zstd',
      Buffer.concat([zstdCompressSync(DATA), Buffer.alloc(9), Buffer.from('x')]),
      'Corrupt',
    ],
    ['zstd with a reserved block', 'zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, 7, 0, 0]), 'Corrupt'],
    ['zstd with a window above 128 MiB', 'zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0xf8, 1, 0, 0]), 'Corrupt'],
    ['zstd, a skippable frame that is cut off', 'zstd', skippable.subarray(0, -1), 'Truncated'],
    ['xz cut off', 'xz', XZ_BYTES.subarray(0, -30), 'Truncated'],
    ['xz damaged', 'xz', xzPatched(60, 0xff), 'Corrupt'],
    ['xz with a dictionary of 128 MiB', 'xz', xzPatched(16, 30), 'LimitExceeded'],
    ['zip without its end', 'zip', zip(DATA).subarray(0, -1), 'Truncated'],
    ['zip of two files', 'zip', zip(DATA, { beside: ['other.raw'] }), 'Unsupported'],
    [
      'zip of many entries',
      'zip',
      zip(DATA, { beside: Array.from({ length: 100 }, (_, n) => `${n}/`) }),
      'Unsupported',
    ],
    ['zip without an entry that it counts', 'zip', zip(DATA, { count: 2 }), 'Corrupt'],
    ['zip of a folder', 'zip', zip(Buffer.alloc(0), { name: 'folder/' }), 'Unsupported'],
    ['zip, encrypted', 'zip', zip(DATA, { flags: 1 }), 'Unsupported'],
    ['zip, another method', 'zip', zip(DATA, { method: 12 }), 'Unsupported'],
    ['zip with a wrong CRC', 'zip', zip(DATA, { crc: 1 }), 'Corrupt'],
    ['zip longer than it states', 'zip', zip(DATA, { size: 10 }), 'Corrupt'],
    ['zip shorter than it states', 'zip', zip(DATA, { size: 400_000 }), 'Truncated'],
  ])('of %s fails', async (_, kind, bytes, expected) => {
    await expect(expand(kind, bytes)).rejects.toMatchObject({ kind: expected });
  });

  it.each<[CompressionKind, Buffer]>([
    ['gzip', gzipSync(Buffer.alloc(1 << 24))],
    ['zstd', zstdCompressSync(Buffer.alloc(1 << 24))],
    ['zip', zip(Buffer.alloc(1 << 24))],
  ])('of %s stops at the limit of output', async (kind, bytes) => {
    await expect(expand(kind, bytes, { maxOutputBytes: 1 << 20 })).rejects.toMatchObject({ kind: 'LimitExceeded' });
    expect(await expand(kind, bytes, { maxOutputBytes: 1 << 24 })).toHaveLength(1 << 24);
  });

  it('stops at the limit of the ratio, once 64 MiB have come out', async () => {
    const bomb = gzipSync(Buffer.alloc(80 << 20));

    await expect(expand('gzip', bomb, { ...NO_LIMIT, maxRatio: 100 })).rejects.toMatchObject({ kind: 'LimitExceeded' });
    await expect(expand('gzip', gzipSync(Buffer.alloc(1 << 20)), { ...NO_LIMIT, maxRatio: 2 })).resolves.toHaveLength(
      1 << 20,
    );
  });

  it('ends with the signal', async () => {
    const reason = new Error('stopped');

    await expect(expand('gzip', gzipSync(DATA), { ...NO_LIMIT, signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
  });

  it('passes on what the source throws', async () => {
    const broken = new Error('no network');
    const source: ByteSource = { size: 10, read: () => Promise.reject(broken) };

    await expect(expand('gzip', source)).rejects.toBe(broken);
    await expect(expand('zstd', source)).rejects.toBe(broken);
    await expect(expand('xz', source)).rejects.toBe(broken);
  });

  it('stops reading when its consumer does', async () => {
    const bytes = gzipSync(Buffer.from(Array.from({ length: 1 << 20 }, () => Math.trunc(Math.random() * 256))));
    let reads = 0;
    const source: ByteSource = {
      size: 1 << 30,
      async read(offset, length) {
        reads++;
        return offset === 0 ? Buffer.concat([bytes, Buffer.alloc(length - bytes.length)]) : new Uint8Array(length);
      },
    };
    for await (const chunk of openDecompressor('gzip')(source, NO_LIMIT)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }

    expect(reads).toBeLessThan(4);
  });

  it('of whatever bytes ends in bytes or a typed error', async () => {
    const seeds: readonly (readonly [CompressionKind, Buffer])[] = [
      ['gzip', gzipSync(DATA.subarray(0, 2000))],
      ['zstd', Buffer.concat([zstdCompressSync(DATA.subarray(0, 2000)), skippable])],
      ['xz', XZ_BYTES],
      ['zip', zip(DATA.subarray(0, 2000))],
      ['zip', zip(DATA.subarray(0, 2000), { zip64: true })],
    ];
    const changes = fc.array(fc.tuple(fc.nat(3000), fc.nat(255)), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...seeds), changes, fc.nat(3000), async ([kind, seed], patches, cut) => {
        const bytes = Buffer.from(seed.subarray(0, cut < 100 ? seed.length : cut));
        for (const [at, value] of patches) if (bytes.length > 0) bytes[at % bytes.length] = value;
        await expand(kind, bytes, { maxOutputBytes: 1 << 22 }).catch((error: unknown) => {
          expect(error).toBeInstanceOf(FormatError);
        });
      }),
      { numRuns: 400 },
    );
  });
});
