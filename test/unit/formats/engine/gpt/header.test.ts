import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../../../formats/engine/errors.ts';
import { type GptTable, readGptTable } from '../../../../../formats/engine/gpt/header.ts';
import { readGpt } from '../../../../../formats/engine/gpt/table.ts';
import { memorySource } from '../../../../../formats/engine/source.ts';

const SECTOR = 512;
/** Sectors of the disk. */
const SECTORS = 200;

interface Header {
  readonly size?: number;
  readonly revision?: number;
  readonly myLba?: bigint;
  readonly entriesLba?: bigint;
  readonly entryCount?: number;
  readonly entrySize?: number;
  readonly firstUsable?: bigint;
  readonly lastUsable?: bigint;
  /** Added to the right checksum of the header. */
  readonly crcError?: number;
  readonly entriesCrcError?: number;
}

interface Slot {
  readonly first: bigint;
  readonly last: bigint;
  readonly name?: string;
  readonly attributes?: number;
}

/** A disk with a header at LBA 1 and its copy in the last sector; both lie about the same. */
function disk(header: Header = {}, ...slots: Slot[]): Buffer {
  const { entryCount = 4, entrySize = 128 } = header;
  const bytes = Buffer.alloc(SECTORS * SECTOR);
  const entries = Buffer.alloc(Math.min(entryCount * entrySize, 64 * SECTOR));
  for (const [i, slot] of slots.entries()) writeSlot(entries.subarray(i * entrySize), slot);
  entries.copy(bytes, 2 * SECTOR);
  writeHeader(bytes, 1, entries, header);
  writeHeader(bytes, SECTORS - 1, entries, header);
  return bytes;
}

function writeSlot(entry: Buffer, { first, last, name = '', attributes = 0 }: Slot): void {
  entry.fill(0x11, 0, 16);
  entry.writeBigUInt64LE(first, 32);
  entry.writeBigUInt64LE(last, 40);
  entry[48] = attributes;
  entry.write(name, 56, 72, 'utf16le');
}

function writeHeader(bytes: Buffer, lba: number, entries: Buffer, header: Header): void {
  const sector = bytes.subarray(lba * SECTOR, (lba + 1) * SECTOR);
  const size = header.size ?? 92;
  sector.write('EFI PART', 0, 'latin1');
  sector.writeUInt32LE(header.revision ?? 0x10000, 8);
  sector.writeUInt32LE(size, 12);
  sector.writeBigUInt64LE(header.myLba ?? BigInt(lba), 24);
  sector.writeBigUInt64LE(BigInt(lba === 1 ? SECTORS - 1 : 1), 32);
  sector.writeBigUInt64LE(header.firstUsable ?? 70n, 40);
  sector.writeBigUInt64LE(header.lastUsable ?? 150n, 48);
  sector.writeBigUInt64LE(header.entriesLba ?? 2n, 72);
  sector.writeUInt32LE(header.entryCount ?? 4, 80);
  sector.writeUInt32LE(header.entrySize ?? 128, 84);
  sector.writeUInt32LE((crc32(entries) + (header.entriesCrcError ?? 0)) >>> 0, 88);
  sector.writeUInt32LE(0, 16);
  sector.writeUInt32LE((crc32(sector.subarray(0, Math.min(size, SECTOR))) + (header.crcError ?? 0)) >>> 0, 16);
}

const table = (bytes: Buffer, lba = 1) => readGptTable(memorySource(bytes), lba, SECTOR);

describe('readGptTable', () => {
  it.each([
    ['as it should be', {}],
    ['of a whole sector', { size: SECTOR }],
    ['with entries of 4096 bytes', { entrySize: 4096, entryCount: 2 }],
    ['with one entry', { entryCount: 1 }],
    ['whose entries end with the disk', { entriesLba: 199n, entryCount: 4 }],
  ])('takes a header %s', async (_name, header: Header) => {
    const bytes = disk(header);
    if (header.entriesLba !== undefined) {
      // The entries lie where the copy was.
      bytes.fill(0, 199 * SECTOR);
    }

    expect(await table(bytes)).toMatchObject({
      myLba: 1,
      alternateLba: 199,
      firstUsableLba: 70,
      lastUsableLba: 150,
      entrySize: header.entrySize ?? 128,
      entryCount: header.entryCount ?? 4,
    });
  });

  it.each([
    ['another revision', { revision: 0x10001 }, 'GPT revision 0x10001 is not 0x10000'],
    ['a header below 92 bytes', { size: 91 }, 'GPT header size 91 is not within 92..512'],
    ['a header above its sector', { size: 513 }, 'GPT header size 513 is not within 92..512'],
    ['a wrong checksum', { crcError: 1 }, /^GPT header at LBA 1: CRC32 is [0-9a-f]+, stored [0-9a-f]+$/],
    ['the number of another sector', { myLba: 2n }, 'GPT header at LBA 1 says LBA 2'],
    ['a sector number above 2^53', { myLba: 2n ** 60n }, /GPT my LBA/],
    ['entries below 128 bytes', { entrySize: 64 }, 'GPT entry size 64 is not 128, 256 .. 4096'],
    ['entries above 4096 bytes', { entrySize: 8192, entryCount: 1 }, 'GPT entry size 8192 is not 128, 256 .. 4096'],
    ['entries of no power of two', { entrySize: 384 }, 'GPT entry size 384 is not 128, 256 .. 4096'],
    ['no entries', { entryCount: 0 }, 'GPT has room for no entries'],
    ['more than 1 MiB of entries', { entryCount: 8193 }, /GPT entries/],
    [
      'entries past the end',
      { entriesLba: 200n, entryCount: 1 },
      /^GPT entries of the header at LBA 1: bytes 102400\.\./,
    ],
    ['entries that begin past the end', { entriesLba: 201n }, /lie outside the disk of 102400 bytes$/],
    ['entries with another checksum', { entriesCrcError: 1 }, /^GPT entries of the header at LBA 1: CRC32 is/],
  ])('refuses %s', async (_name, header: Header, message) => {
    const error = await table(disk(header));

    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).message).toMatch(message);
  });

  it('says where it found no header, and where the disk ends', async () => {
    expect(await table(disk(), 5)).toMatchObject({ message: 'LBA 5 holds no GPT header' });
    expect(await table(disk(), SECTORS)).toMatchObject({
      message: 'GPT header at LBA 200: bytes 102400..102912 lie outside the disk of 102400 bytes',
    });
    expect(await table(disk().subarray(0, SECTOR + 511))).toMatchObject({ message: /lie outside the disk/ });
  });

  it('passes on what is no fault of the format', async () => {
    const source = { size: 10_000, read: () => Promise.reject(new Error('the network is gone')) };

    await expect(readGptTable(source, 1, SECTOR)).rejects.toThrow('the network is gone');
  });

  it('holds the entries themselves', async () => {
    const found = (await table(disk({}, { first: 70n, last: 71n }))) as GptTable;

    expect(found.entries).toHaveLength(512);
    expect([...found.entries.subarray(0, 2)]).toEqual([0x11, 0x11]);
  });
});

describe('readGpt', () => {
  const partitions = async (...slots: Slot[]) => await readGpt(memorySource(disk({}, ...slots)), SECTOR);

  it.each([
    ['the first usable sector', { first: 70n, last: 70n }],
    ['the last usable sector', { first: 150n, last: 150n }],
  ])('takes a partition of %s', async (_name, slot) => {
    expect(await partitions(slot)).toMatchObject({ partitions: [{ size: 512 }], findings: [] });
  });

  it.each([
    ['begins before the first usable sector', { first: 69n, last: 80n }, '69..80'],
    ['ends after the last usable sector', { first: 80n, last: 151n }, '80..151'],
    ['ends before it begins', { first: 90n, last: 89n }, '90..89'],
  ])('refuses a partition that %s', async (_name, slot, range) => {
    expect(await partitions(slot)).toMatchObject({
      partitions: [],
      findings: [
        {
          code: 'gpt_corrupt',
          message: `GPT entry 1: LBA ${range} is not within the usable LBAs 70..150`,
        },
      ],
    });
  });

  it.each([
    ['up to its first zero', 'boot\0rest', { name: 'boot' }],
    ['up to its first zero, over line ends', 'boot\0a\nb', { name: 'boot' }],
    ['of 36 characters', 'n'.repeat(36), { name: 'n'.repeat(36) }],
  ])('reads a name %s', async (_name, name, expected) => {
    expect((await partitions({ first: 70n, last: 71n, name })).partitions).toMatchObject([expected]);
  });

  it('tells no name apart from an empty one', async () => {
    const { partitions: found } = await partitions({ first: 70n, last: 71n });

    expect(found[0]).not.toHaveProperty('name');
  });

  it.each([
    [0, false],
    [4, true],
    [3, false],
    [6, true],
  ])('takes attributes %i for bootable: %s', async (attributes, bootable) => {
    expect((await partitions({ first: 70n, last: 71n, attributes })).partitions).toMatchObject([{ bootable }]);
  });
});
