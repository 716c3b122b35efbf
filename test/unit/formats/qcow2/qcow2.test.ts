import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../../formats/engine/errors.ts';
import type { DiskImage } from '../../../../formats/engine/image.ts';
import { memorySource } from '../../../../formats/engine/source.ts';
import { inspect } from '../../../../formats/inspect.ts';
import { isZero } from '../../../../formats/node/codecs/bytes.ts';
import { qcow2 } from '../../../../formats/qcow2/module.ts';
import { collect } from '../../../support/collect.ts';
import { countingSource, expanded, opened } from '../disk-contract.ts';

const FIXTURES = join(import.meta.dirname, '../../../fixtures/formats/engine');
const load = (name: string): Buffer => gunzipSync(readFileSync(join(FIXTURES, `qcow2-${name}.qcow2.gz`)));

/** A copy of an image with some bytes changed. */
function patched(name: string, patch: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(load(name));
  patch(bytes);
  return bytes;
}

async function codes(bytes: Uint8Array): Promise<readonly string[]> {
  const { findings } = await inspect(memorySource(bytes));
  return findings.filter((found) => found.severity === 'refuse').map((found) => found.code);
}

/** Offset of the first L1 entry that has an L2 table, and the offset of that table's first used entry. */
function firstEntries(bytes: Buffer): { l1: number; l2: number } {
  let l1 = Number(bytes.readBigUInt64BE(40));
  while (bytes.readBigUInt64BE(l1) === 0n) l1 += 8;
  let l2 = Number(bytes.readBigUInt64BE(l1) & 0x00ff_ffff_ffff_fe00n);
  while (bytes.readBigUInt64BE(l2) === 0n) l2 += 8;
  return { l1, l2 };
}

describe('qcow2 refusals', () => {
  const rows: readonly [what: string, code: string, fixture: string, patch: (bytes: Buffer) => void][] = [
    ['a backing file offset alone', 'backing_file', 'shrunk', (b) => b.writeBigUInt64BE(0x400n, 8)],
    ['a backing file length alone', 'backing_file', 'shrunk', (b) => b.writeUInt32BE(8, 16)],
    [
      'a backing format alone',
      'backing_file',
      'shrunk',
      (b) => {
        b.writeUInt32BE(0xe2792aca, b.readUInt32BE(100));
        b.writeUInt32BE(3, b.readUInt32BE(100) + 4);
      },
    ],
    ['an external data file', 'data_file', 'shrunk', (b) => b.writeBigUInt64BE(4n, 72)],
    ['an unknown incompatible feature', 'unknown_features', 'shrunk', (b) => b.writeBigUInt64BE(1n << 63n, 72)],
    ['the corrupt mark', 'corrupt_bit', 'shrunk', (b) => b.writeBigUInt64BE(2n, 72)],
    ['encryption', 'encrypted', 'shrunk', (b) => b.writeUInt32BE(2, 32)],
    ['version 5', 'unsupported_format', 'shrunk', (b) => b.writeUInt32BE(5, 4)],
    ['version 1', 'unsupported_format', 'shrunk', (b) => b.writeUInt32BE(1, 4)],
    ['clusters of 256 bytes', 'corrupt', 'shrunk', (b) => b.writeUInt32BE(8, 20)],
    ['clusters of 4 MiB', 'corrupt', 'shrunk', (b) => b.writeUInt32BE(22, 20)],
    ['a virtual size of 2^63', 'corrupt', 'shrunk', (b) => b.writeBigUInt64BE(1n << 63n, 24)],
    ['an L1 table too small for the size', 'corrupt', 'shrunk', (b) => b.writeBigUInt64BE(1n << 45n, 24)],
    ['an L1 table above 32 MiB', 'limit_exceeded', 'shrunk', (b) => b.writeUInt32BE(0x40_0001, 36)],
    ['an L1 table outside the file', 'truncated', 'shrunk', (b) => b.writeBigUInt64BE(1n << 40n, 40)],
    ['an L1 table that is not aligned', 'corrupt', 'shrunk', (b) => b.writeBigUInt64BE(0x10_200n, 40)],
    ['an L1 table on the header', 'corrupt', 'shrunk', (b) => b.writeBigUInt64BE(0n, 40)],
    ['a refcount table above 8 MiB', 'limit_exceeded', 'shrunk', (b) => b.writeUInt32BE(1000, 56)],
    ['a refcount table outside the file', 'truncated', 'shrunk', (b) => b.writeBigUInt64BE(1n << 40n, 48)],
    ['70,000 snapshots', 'limit_exceeded', 'shrunk', (b) => b.writeUInt32BE(70_000, 60)],
    ['a header length of 100', 'corrupt', 'shrunk', (b) => b.writeUInt32BE(100, 100)],
    ['a refcount order of 7', 'corrupt', 'shrunk', (b) => b.writeUInt32BE(7, 96)],
    ['a compression type without its feature bit', 'corrupt', 'shrunk', (b) => b.writeUInt8(1, 104)],
    ['the compression feature without a type', 'corrupt', 'shrunk', (b) => b.writeBigUInt64BE(8n, 72)],
    ['extended L2 in small clusters', 'corrupt', 'v3-512', (b) => b.writeBigUInt64BE(16n, 72)],
    [
      'an extension behind the first cluster',
      'corrupt',
      'shrunk',
      (b) => b.writeUInt32BE(0xffff_0000, b.readUInt32BE(100) + 4),
    ],
    ['an L2 table outside the file', 'truncated', 'shrunk', (b) => b.writeBigUInt64BE(1n << 40n, firstEntries(b).l1)],
    [
      'a data cluster outside the file',
      'truncated',
      'shrunk',
      (b) => b.writeBigUInt64BE(1n << 40n, firstEntries(b).l2),
    ],
    [
      'a data cluster that is not aligned',
      'corrupt',
      'shrunk',
      (b) => b.writeBigUInt64BE(0x50_200n, firstEntries(b).l2),
    ],
    ['a cluster in use at offset 0', 'corrupt', 'shrunk', (b) => b.writeBigUInt64BE(1n << 63n, firstEntries(b).l2)],
    ['a zero cluster in version 2', 'corrupt', 'v2-zlib', (b) => b.writeBigUInt64BE(1n, firstEntries(b).l2)],
    [
      'a compressed cluster marked as copied',
      'corrupt',
      'v2-zlib',
      (b) => b.writeBigUInt64BE(b.readBigUInt64BE(firstEntries(b).l2) | (3n << 62n), firstEntries(b).l2),
    ],
    [
      'a compressed cluster outside the file',
      'truncated',
      'v2-zlib',
      (b) => b.writeBigUInt64BE((1n << 62n) | (1n << 40n), firstEntries(b).l2),
    ],
    [
      'a subcluster both allocated and zero',
      'corrupt',
      'extl2-zeros',
      (b) => b.writeBigUInt64BE(0x1_0000_0001n, firstEntries(b).l2 + 8),
    ],
  ];

  it.each(rows)('refuses %s', async (_what, code, fixture, patch) => {
    const bytes = patched(fixture, patch);

    expect(await codes(bytes)).toContain(code);
    await expect((async () => (await opened(qcow2, bytes)).readInto(0, Buffer.alloc(1024 * 1024)))()).rejects.toThrow(
      FormatError,
    );
  });

  it('refuses a snapshot table outside the file, though reading does not need it', async () => {
    expect(await codes(patched('shrunk', (b) => b.writeUInt32BE(60_000, 60)))).toEqual(['truncated']);
  });

  it('refuses every cut through the file', async () => {
    const whole = load('shrunk');
    for (const length of [8, 71, 103, 512, 65_536, 200_000, whole.length - 1]) {
      expect(await codes(whole.subarray(0, length)), `${length} bytes`).not.toEqual([]);
    }
  });

  it('refuses a damaged stream, and one that gives too little', async () => {
    const bytes = patched('v2-zlib', (b) => {
      const entry = b.readBigUInt64BE(firstEntries(b).l2);
      b.fill(0xff, Number(entry & ((1n << 54n) - 1n)), Number(entry & ((1n << 54n) - 1n)) + 64);
    });
    const image = await opened(qcow2, bytes);

    await expect(image.readInto(0, Buffer.alloc(65_536))).rejects.toThrow(FormatError);
  });
});

const SHAPES = ['v3-512', 'v2-zlib', 'zstd-4k', 'extl2-zeros', 'zero-clusters', 'prealloc-metadata', 'shrunk', 'grown'];

it('gives the right bytes when a read begins or ends inside a cluster of many subclusters', async () => {
  const bytes = load('extl2-zeros');
  const whole = await expanded(qcow2, bytes);
  const image = await opened(qcow2, bytes);
  for (let offset = 1; offset < Math.min(whole.length, 256 * 1024); offset += 1021) {
    const target = Buffer.alloc(Math.min(28_673, whole.length - offset), 0x55);
    await image.readInto(offset, target);

    expect(target.equals(whole.subarray(offset, offset + target.length)), `offset ${offset}`).toBe(true);
  }
});

describe.each(SHAPES)('reading %s', (name) => {
  it('gives any range the bytes of the whole', async () => {
    const bytes = load(name);
    const whole = await expanded(qcow2, bytes);
    const image = await opened(qcow2, bytes);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(200_000), async (offset, length) => {
        const target = Buffer.alloc(Math.min(length, whole.length - offset), 0x55);
        await image.readInto(offset, target);
        expect(target.equals(whole.subarray(offset, offset + target.length))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('covers any range with extents, whose zeros are zeros', async () => {
    const bytes = load(name);
    const whole = await expanded(qcow2, bytes);
    const image = await opened(qcow2, bytes);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(whole.length), async (start, length) => {
        const end = Math.min(whole.length, start + length);
        let at = start;
        for (const extent of await collect(image.extents(start, end))) {
          expect(extent.start).toBe(at);
          expect(extent.length).toBeGreaterThan(0);
          if (extent.zero) expect(isZero(whole.subarray(at, at + extent.length))).toBe(true);
          at += extent.length;
        }
        expect(at).toBe(Math.max(start, end));
      }),
      { numRuns: 30 },
    );
  });
});

describe('reads', () => {
  it('costs one 16 MiB slice a handful of range reads at any cluster size', async () => {
    for (const name of ['v3-512', 'v2-zlib', 'zstd-4k', 'shrunk']) {
      const { source, reads } = countingSource(load(name));
      const image = await qcow2.open!(source);
      reads.length = 0;

      await image.readInto(0, new Uint8Array(Math.min(image.virtualSize, 16 * 1024 * 1024)), true);

      expect(reads.length, name).toBeLessThanOrEqual(6);
    }
  });

  it('never reads outside the asked guest range or the object', async () => {
    const image: DiskImage = await opened(qcow2, load('shrunk'));

    await expect(image.readInto(image.virtualSize, new Uint8Array(1))).rejects.toThrow(FormatError);
  });
});

describe('hostile bytes', () => {
  it('give a typed error or a result, whatever is changed', async () => {
    const seeds = ['shrunk', 'v3-512', 'zstd-4k', 'extl2-zeros', 'dirty'].map(load);
    const edit = fc.record({ at: fc.nat(0x60_000), byte: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(seeds.length - 1),
        fc.array(edit, { minLength: 1, maxLength: 6 }),
        async (seed, edits) => {
          const bytes = Buffer.from(seeds[seed]!);
          // Half of the changes hit the header, where the structures are.
          edits.forEach(({ at, byte }, index) => {
            bytes[(index % 2 === 0 ? at % 120 : at) % bytes.length] = byte;
          });
          const inspection = await inspect(memorySource(bytes), { maxVirtualSize: 2 ** 36 });
          if (inspection.verdict !== 'accept') return;
          try {
            const image = await opened(qcow2, bytes);
            await image.readInto(0, Buffer.alloc(Math.min(image.virtualSize, 1024 * 1024)));
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
