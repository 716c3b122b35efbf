import { describe, expect, it } from 'vitest';
import {
  bootRecordEntries,
  isUsed,
  type MbrEntry,
  mbrFindings,
  mbrPartitions,
} from '../../../../../formats/engine/mbr/table.ts';
import { memorySource } from '../../../../../formats/engine/source.ts';

const SECTOR = 512;

/** A boot record; each entry is flag, CHS of the start, type, first sector, sectors. */
function record(...entries: [number, [number, number, number], number, number, number][]): Buffer {
  const sector = Buffer.alloc(SECTOR);
  for (const [i, [flag, chs, type, first, count]] of entries.entries()) {
    const at = 446 + 16 * i;
    sector.set([flag, ...chs, type], at);
    sector.writeUInt32LE(first, at + 8);
    sector.writeUInt32LE(count, at + 12);
  }
  sector.set([0x55, 0xaa], 510);
  return sector;
}

const entry = (of: Partial<MbrEntry>): MbrEntry => ({
  flag: 0,
  type: 0,
  chsStart: [0, 0, 0],
  first: 0,
  count: 0,
  ...of,
});

describe('bootRecordEntries', () => {
  it('reads four entries, each field where it is', () => {
    const bytes = record([0x80, [1, 2, 3], 0x83, 0x01020304, 0x05060708], [0, [4, 5, 6], 0x0c, 9, 10]);

    expect(bootRecordEntries(bytes)).toEqual([
      { flag: 0x80, chsStart: [1, 2, 3], type: 0x83, first: 0x01020304, count: 0x05060708 },
      { flag: 0, chsStart: [4, 5, 6], type: 0x0c, first: 9, count: 10 },
      entry({}),
      entry({}),
    ]);
  });

  it.each([
    ['less than a sector', record().subarray(0, 511)],
    ['another first byte of the signature', Buffer.from(record()).fill(0x54, 510, 511)],
    ['another second byte of the signature', Buffer.from(record()).fill(0xab, 511, 512)],
    ['no signature', Buffer.alloc(SECTOR)],
  ])('finds none in %s', (_name, bytes) => {
    expect(bootRecordEntries(bytes)).toBeUndefined();
  });
});

describe('isUsed', () => {
  it.each([
    [0x83, 1, true],
    [0x83, 0, false],
    [0, 1, false],
    [0, 0, false],
  ])('type %i with %i sectors: %s', (type, count, used) => {
    expect(isUsed(entry({ type, count }))).toBe(used);
  });
});

describe('mbrFindings', () => {
  const guard = (of: Partial<MbrEntry> = {}) => entry({ type: 0xee, chsStart: [0, 2, 0], first: 1, count: 9, ...of });

  it.each([
    ['a protective entry alone', [guard(), entry({})], []],
    ['entries without a protective one', [entry({ type: 0x83, flag: 0x80 }), entry({ type: 0x0c })], []],
    ['another entry beside it', [guard(), entry({ type: 0x83 })], ['mbr_protective']],
    ['another start', [guard({ first: 2 })], ['mbr_protective']],
    ['another head', [guard({ chsStart: [1, 2, 0] })], ['mbr_protective']],
    ['another sector', [guard({ chsStart: [0, 1, 0] })], ['mbr_protective']],
    ['another cylinder', [guard({ chsStart: [0, 2, 1] })], ['mbr_protective']],
    [
      'everything at once',
      [guard({ first: 3, flag: 1, chsStart: [9, 9, 9] }), entry({ type: 1 })],
      ['mbr_invalid', 'mbr_protective', 'mbr_protective', 'mbr_protective'],
    ],
  ])('%s', (_name, entries, codes) => {
    expect(mbrFindings(entries).map(({ code }) => code)).toEqual(codes);
  });

  it('names the entry whose boot flag is neither 0 nor 0x80', () => {
    expect(mbrFindings([entry({}), entry({ flag: 0x81 })])).toMatchObject([
      { code: 'mbr_invalid', message: 'MBR entry 2: boot flag 0x81 is not 0x00 or 0x80' },
    ]);
  });
});

describe('mbrPartitions, following extended boot records', () => {
  const EXTENDED = entry({ type: 5, first: 10, count: 90 });
  /** A disk of `sectors` with boot records at the given sectors. */
  function disk(sectors: number, records: Readonly<Record<number, Buffer>>): Buffer {
    const bytes = Buffer.alloc(sectors * SECTOR);
    for (const [lba, sector] of Object.entries(records)) sector.copy(bytes, Number(lba) * SECTOR);
    return bytes;
  }
  const logical = (first: number, next?: number): Buffer =>
    record([0, [0, 0, 0], 0x83, first, 1], [0, [0, 0, 0], 5, next ?? 0, next === undefined ? 0 : 1]);
  const read = (bytes: Buffer) => mbrPartitions(memorySource(bytes), [EXTENDED]);

  it('counts logical partitions from 5, each from its own record, the next record from the extended partition', async () => {
    const { partitions, findings } = await read(disk(100, { 10: logical(1, 20), 30: logical(2) }));

    expect(partitions.map(({ index, start }) => [index, start / SECTOR])).toEqual([
      [1, 10],
      [5, 11],
      [6, 32],
    ]);
    expect(findings).toEqual([]);
  });

  it('goes on past a record without a partition', async () => {
    const empty = record([0, [0, 0, 0], 0, 0, 0], [0, [0, 0, 0], 5, 20, 1]);

    expect((await read(disk(100, { 10: empty, 30: logical(2) }))).partitions.map(({ index }) => index)).toEqual([1, 5]);
  });

  it('reads a record in the last sector of the disk', async () => {
    expect((await read(disk(31, { 10: logical(1, 20), 30: logical(0) }))).findings).toEqual([]);
  });

  it.each([
    [
      'past the end',
      disk(30, { 10: logical(1, 20) }),
      'partition_outside',
      'EBR at LBA 30 lies outside the disk of 15360 bytes',
    ],
    ['without a signature', disk(100, { 10: logical(1, 20) }), 'ebr_chain', 'EBR at LBA 30 has no 55AA signature'],
    ['that points to itself', disk(100, { 10: logical(1, 0) }), 'ebr_chain', 'EBR at LBA 10 points back to LBA 10'],
  ])('says so of a record %s', async (_name, bytes, code, message) => {
    expect((await read(bytes)).findings).toMatchObject([{ code, message }]);
  });

  it.each([
    [64, 0],
    [65, 1],
  ])('of a chain of %i records makes %i findings', async (length, count) => {
    const records = Object.fromEntries(
      Array.from({ length }, (_, n) => [10 + n, logical(0, n + 1 === length ? undefined : n + 1)]),
    );
    const { findings } = await read(disk(100, records));

    expect(findings.map(({ message }) => message)).toEqual(
      Array.from({ length: count }, () => 'extended partition at LBA 10: more than 64 EBRs'),
    );
  });
});
