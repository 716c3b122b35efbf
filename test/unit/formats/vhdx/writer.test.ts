import { describe, expect, it } from 'vitest';
import { planConversion } from '../../../../formats/convert/plan.ts';
import { memorySource } from '../../../../formats/engine/source.ts';
import { PLAIN } from '../../../../formats/engine/writer.ts';
import { rawImage } from '../../../../formats/raw/module.ts';
import { guidAt, putGuid } from '../../../../formats/vhdx/guid.ts';
import { readCreator, readHeader } from '../../../../formats/vhdx/header.ts';
import { readMetadata } from '../../../../formats/vhdx/metadata.ts';
import { readRegions } from '../../../../formats/vhdx/regions.ts';
import { vhdxWriter } from '../../../../formats/vhdx/writer.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const IDENTITY = '00112233-4455-6677-8899-AABBCCDDEEFF';
const BLOCK = 2 * MIB;

/** The head of a disk whose every block is stored, but for those of the numbers. */
function headOf(virtualSize: number, holes: readonly number[] = [], diskId = IDENTITY): Buffer {
  const source = memorySource(new Uint8Array(512));
  const plan = planConversion({ ...rawImage(source), virtualSize }, source, { target: 'vhdx', diskId });
  const index = new Uint32Array(Math.ceil(virtualSize / BLOCK)).fill((PLAIN | BLOCK) >>> 0);
  for (const hole of holes) index[hole] = 0;
  const first = vhdxWriter.tables.headLength(plan);
  const perSlice = plan.sliceSize / BLOCK;
  const lengths = Float64Array.from({ length: plan.sliceCount }, (_, slice) =>
    index.subarray(slice * perSlice, (slice + 1) * perSlice).reduce((sum, entry) => sum + (entry === 0 ? 0 : BLOCK), 0),
  );
  const plainOffset = new Float64Array(plan.sliceCount);
  let end = first;
  for (const [slice, length] of lengths.entries()) {
    plainOffset[slice] = end;
    end += length;
  }
  const packed = new Float64Array(plan.sliceCount);
  const places = { plainLength: lengths, packedLength: packed, plainOffset, packedOffset: packed, end };
  const bytes = Buffer.concat([...vhdxWriter.tables.assemble(plan, index, places).head()]);
  expect(bytes.length).toBe(first);
  return bytes;
}

describe('the head of a VHDX', () => {
  const head = headOf(9 * MIB);
  const source = memorySource(head);

  it('has two valid headers, the second current, and nothing in the log', async () => {
    expect(await readCreator(source)).toBe('Glimpse');
    expect(await readHeader(source)).toEqual({
      sequenceNumber: 2n,
      logOffset: MIB,
      logLength: MIB,
      logGuid: undefined,
    });
    expect(head.subarray(MIB, 2 * MIB).every((byte) => byte === 0)).toBe(true);
  });

  it('is read with either region table alone', async () => {
    const expected = { table: { start: 3 * MIB, end: 4 * MIB }, metadata: { start: 2 * MIB, end: 3 * MIB } };
    for (const damaged of [192, 256]) {
      const copy = Buffer.from(head);
      copy.fill(0, damaged * 1024, damaged * 1024 + 4);
      expect(await readRegions(memorySource(copy))).toMatchObject(expected);
    }
  });

  it('says what disk it is', async () => {
    const metadata = await readMetadata(source, { what: 'metadata', start: 2 * MIB, end: 3 * MIB });

    expect(metadata).toEqual({
      virtualSize: 9 * MIB,
      blockSize: BLOCK,
      logicalSectorSize: 512,
      physicalSectorSize: 4096,
      fixed: false,
      hasParent: false,
      unknownRequired: [],
    });
  });

  it('follows from the plan: the same again, another GUID for another image and nothing else', () => {
    expect(headOf(9 * MIB).equals(head)).toBe(true);
    const other = Buffer.from(headOf(9 * MIB, [], 'ffffffff-ffff-ffff-ffff-ffffffffffff'));
    const differing = [...other.keys()].filter((at) => other[at] !== head[at]);
    // Of each header the checksum and two GUIDs; of the metadata the diskId of the disk.
    expect(differing.length).toBeGreaterThan(0);
    for (const at of differing) {
      const inHeader = [64, 128].some((kib) => at >= kib * 1024 && at < kib * 1024 + 48);
      expect(inHeader || (at >= 2 * MIB + 64 * 1024 && at < 2 * MIB + 64 * 1024 + 40)).toBe(true);
    }
  });
});

describe('the block allocation table', () => {
  const entryOf = (head: Buffer, n: number): bigint => head.readBigUInt64LE(3 * MIB + n * 8);

  it('has an entry of a sector bitmap behind each full chunk', () => {
    const head = headOf(8 * GIB + 512, [1, 2049]);

    expect(entryOf(head, 0)).toBe(BigInt(4 * MIB + 6));
    expect(entryOf(head, 1)).toBe(0n);
    expect(entryOf(head, 2047)).toBe(BigInt(4 * MIB + 2046 * BLOCK + 6));
    expect(entryOf(head, 2048)).toBe(0n);
    expect(entryOf(head, 2049)).toBe(BigInt(4 * MIB + 2047 * BLOCK + 6));
    expect(entryOf(head, 2050)).toBe(0n);
    expect(entryOf(head, 4097)).toBe(0n);
    expect(entryOf(head, 4098)).toBe(BigInt(4 * MIB + 4094 * BLOCK + 6));
    expect(entryOf(head, 4099)).toBe(0n);
  });

  it.each([
    [512, 4],
    [4 * GIB, 4],
    [255 * GIB, 4],
    // 131,072 blocks and 63 bitmaps: more than 1 MiB of entries, and a border of blocks behind them.
    [256 * GIB, 6],
    [512 * GIB, 6],
  ])('of %i bytes leaves the first block at %i MiB', (size, mib) => {
    expect(headOf(size).length).toBe(mib * MIB);
  });
});

describe('putGuid', () => {
  it('is what guidAt reads, in either case', () => {
    const bytes = new Uint8Array(18);
    putGuid(bytes, 1, IDENTITY.toLowerCase());

    expect(guidAt(bytes, 1)).toBe(IDENTITY);
    expect(Buffer.from(bytes).toString('hex')).toBe('0033221100554477668899aabbccddeeff00');
  });
});
