import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Corrupt, FormatError } from '../../../../../formats/engine/errors.ts';
import {
  type Geometry,
  sliceCount,
  sliceLength,
  storedGeometry,
} from '../../../../../formats/engine/sparse/geometry.ts';
import { locate } from '../../../../../formats/engine/sparse/locate.ts';
import { SparseMap } from '../../../../../formats/engine/sparse/map.ts';
import { packSlice } from '../../../../../formats/engine/sparse/pack.ts';

/** What a reader makes of a segment: block by block, zeros where the bitmap has none. */
function unpacked(bitmap: Uint8Array, segment: Uint8Array, length: number, blockSize: number): Uint8Array {
  const slice = new Uint8Array(length);
  let at = 0;
  for (let block = 0; block * blockSize < length; block++) {
    if (((bitmap[block >> 3] ?? 0) & (1 << (block & 7))) === 0) continue;
    const target = slice.subarray(block * blockSize, (block + 1) * blockSize);
    target.set(segment.subarray(at, at + target.length));
    at += target.length;
  }
  expect(at).toBe(segment.length);
  return slice;
}

const SMALL = { sliceSize: 512, blockSize: 64 };

/** A disk as a list of runs, some of them zero, so that holes of all shapes appear. */
const disk = fc
  .array(fc.record({ length: fc.integer({ min: 1, max: 300 }), byte: fc.constantFrom(0, 0, 0, 1, 255) }), {
    maxLength: 20,
  })
  .map((runs) => Buffer.concat(runs.map((run) => Buffer.alloc(run.length, run.byte))));

function pack(bytes: Uint8Array, geometry: Geometry): { map: SparseMap; segments: Uint8Array[] } {
  const map = SparseMap.empty(geometry);
  const segments: Uint8Array[] = [];
  for (let index = 0; index < sliceCount(geometry); index++) {
    const start = index * geometry.sliceSize;
    const packed = packSlice(bytes.subarray(start, start + sliceLength(geometry, index)), geometry.blockSize);
    map.set(index, { bitmap: packed.bitmap, segmentLength: packed.segment.length, crc32: packed.crc32 });
    segments.push(packed.segment);
  }
  return { map, segments };
}

describe('packSlice', () => {
  it('keeps exactly the blocks that are not all zero', () => {
    const slice = new Uint8Array(256);
    slice[64] = 7;
    slice[255] = 9;

    const packed = packSlice(slice, 64);

    expect([...packed.bitmap.subarray(0, 1)]).toEqual([0b1010]);
    expect(packed.segment).toEqual(Buffer.concat([slice.subarray(64, 128), slice.subarray(192, 256)]));
    expect(packed.crc32).toBe(crc32(packed.segment));
  });

  it('returns a slice without zero blocks as it is', () => {
    const slice = new Uint8Array(256).fill(1);

    expect(packSlice(slice, 64).segment).toBe(slice);
  });

  it('gives an all-zero slice no segment', () => {
    const packed = packSlice(new Uint8Array(16 * 1024 * 1024));

    expect(packed.segment).toHaveLength(0);
    expect(packed.crc32).toBe(0);
  });

  it('is undone by its bitmap for every slice, the short last block included', () => {
    fc.assert(
      fc.property(disk, (bytes) => {
        const slice = bytes.subarray(0, 16_384);
        const { bitmap, segment } = packSlice(slice, 64);
        expect(Buffer.compare(unpacked(bitmap, segment, slice.length, 64), slice)).toBe(0);
      }),
    );
  });
});

describe('SparseMap', () => {
  it('survives its binary form', () => {
    fc.assert(
      fc.property(disk, (bytes) => {
        const { map } = pack(bytes, { ...SMALL, virtualSize: bytes.length });

        const again = SparseMap.decode(map.encode());

        expect(again.encode()).toEqual(map.encode());
        expect(again.storedBytes).toBe(map.storedBytes);
      }),
    );
  });

  it('stays below 4 MB for 1 TiB', () => {
    expect(SparseMap.empty(storedGeometry(2 ** 40)).encode().length).toBeLessThan(4_000_000);
  });

  it('refuses every damaged byte', () => {
    const { map } = pack(Buffer.alloc(2000, 1), { ...SMALL, virtualSize: 2000 });
    const bytes = map.encode();
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0x40;
      expect(() => SparseMap.decode(damaged)).toThrow(FormatError);
    }
  });

  it('refuses an entry whose bitmap contradicts its length even when the checksum is right', () => {
    const { map } = pack(Buffer.alloc(2000, 1), { ...SMALL, virtualSize: 2000 });
    const bytes = Buffer.from(map.encode());
    bytes[40] = 0;
    bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), bytes.length - 4);

    expect(() => SparseMap.decode(bytes)).toThrow(Corrupt);
  });

  it('never allocates for a slice count that its bytes do not hold', () => {
    const bytes = Buffer.from(SparseMap.empty({ ...SMALL, virtualSize: 0 }).encode());
    bytes.writeBigUInt64LE(2n ** 52n, 16);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), bytes.length - 4);

    expect(() => SparseMap.decode(bytes)).toThrow(FormatError);
  });
});

describe('locate', () => {
  it('finds every guest byte of any range', () => {
    fc.assert(
      fc.property(disk, fc.nat(), fc.nat(), (bytes, a, b) => {
        const { map, segments } = pack(bytes, { ...SMALL, virtualSize: bytes.length });
        const [start, end] = [a % (bytes.length + 1), b % (bytes.length + 1)].sort((x, y) => x - y) as [number, number];

        const parts = [...locate(map, start, end)];

        const out = Buffer.concat(
          parts.map((part) =>
            part.kind === 'hole'
              ? Buffer.alloc(part.length)
              : (segments[part.slice] ?? Buffer.alloc(0)).subarray(
                  part.offsetInSegment,
                  part.offsetInSegment + part.length,
                ),
          ),
        );
        expect(out.equals(bytes.subarray(start, end))).toBe(true);
        expect(parts.every((part, index) => part.kind !== 'hole' || parts[index + 1]?.kind !== 'hole')).toBe(true);
      }),
    );
  });

  it('refuses a range outside the disk', () => {
    const map = SparseMap.empty({ ...SMALL, virtualSize: 100 });

    expect(() => [...locate(map, 0, 101)]).toThrow(RangeError);
  });
});
