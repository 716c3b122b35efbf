/** GPT headers and their entry arrays, checked by both CRCs (UEFI 2.10 section 5.3.2, facts section 2). */
import { crc32 } from '#codecs/crc32.ts';
import { capped, decode, exact, type Layout, view } from '../bytes.ts';
import { Corrupt, FormatError, Truncated } from '../errors.ts';
import { hasText } from '../match.ts';
import type { DiskReader } from '../mbr/table.ts';

const HEADER = {
  revision: [8, 'u32'],
  headerSize: [12, 'u32'],
  headerCrc: [16, 'u32'],
  myLba: [24, 'u64'],
  alternateLba: [32, 'u64'],
  firstUsableLba: [40, 'u64'],
  lastUsableLba: [48, 'u64'],
  entriesLba: [72, 'u64'],
  entryCount: [80, 'u32'],
  entrySize: [84, 'u32'],
  entriesCrc: [88, 'u32'],
} as const satisfies Layout;

const MIN_HEADER = 92;
const REVISION_1 = 0x00010000;
/** The customary array is 16 KiB; 1 MiB is 8192 partitions. Bounds the read before the CRC can be checked. */
const MAX_ENTRY_BYTES = 1024 * 1024;

/** A header with its array of entries; both CRCs are right. LBAs are exact numbers of sectors. */
export interface GptTable {
  readonly myLba: number;
  readonly alternateLba: number;
  readonly firstUsableLba: number;
  readonly lastUsableLba: number;
  readonly entrySize: number;
  readonly entryCount: number;
  readonly entries: Uint8Array;
}

/** True when the bytes at `offset` are those of a GPT header, whatever its checksum says. */
export function isGptHeader(bytes: Uint8Array, offset: number): boolean {
  return hasText(bytes, offset, 'EFI PART');
}

/**
 * Reads the header at `lba` and its entries.
 * @returns the table, or the error that says why there is none
 */
export async function readGptTable(disk: DiskReader, lba: number, sectorSize: number): Promise<GptTable | FormatError> {
  try {
    return await parseTable(disk, lba, sectorSize);
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
}

async function parseTable(disk: DiskReader, lba: number, sectorSize: number): Promise<GptTable> {
  const at = lba * sectorSize;
  requireWithin(disk, at, sectorSize, `GPT header at LBA ${lba}`);
  const sector = await disk.read(at, sectorSize);
  if (!isGptHeader(sector, 0)) throw new Corrupt(`LBA ${lba} holds no GPT header`);
  const header = decode(HEADER, sector, 'LE');
  if (header.revision !== REVISION_1)
    throw new Corrupt(`GPT revision 0x${header.revision.toString(16)} is not 0x10000`);
  if (header.headerSize < MIN_HEADER || header.headerSize > sectorSize) {
    throw new Corrupt(`GPT header size ${header.headerSize} is not within ${MIN_HEADER}..${sectorSize}`);
  }
  checkCrc(blankCrc(sector.subarray(0, header.headerSize)), header.headerCrc, `GPT header at LBA ${lba}`);
  if (exact(header.myLba, 'GPT my LBA') !== lba) throw new Corrupt(`GPT header at LBA ${lba} says LBA ${header.myLba}`);
  checkEntryShape(header.entrySize, header.entryCount);
  const entriesAt = exact(header.entriesLba * BigInt(sectorSize), 'GPT entries offset');
  const length = header.entryCount * header.entrySize;
  requireWithin(disk, entriesAt, length, `GPT entries of the header at LBA ${lba}`);
  const entries = await disk.read(entriesAt, length);
  checkCrc(entries, header.entriesCrc, `GPT entries of the header at LBA ${lba}`);
  return {
    myLba: lba,
    alternateLba: exact(header.alternateLba, 'GPT alternate LBA'),
    firstUsableLba: exact(header.firstUsableLba, 'GPT first usable LBA'),
    lastUsableLba: exact(header.lastUsableLba, 'GPT last usable LBA'),
    entrySize: header.entrySize,
    entryCount: header.entryCount,
    entries,
  };
}

/** Entries are 128 · 2^n bytes each; the product is bounded before anything is read. */
function checkEntryShape(size: number, count: number): void {
  if (size < 128 || size > 4096 || (size & (size - 1)) !== 0) {
    throw new Corrupt(`GPT entry size ${size} is not 128, 256 .. 4096`);
  }
  if (count === 0) throw new Corrupt('GPT has room for no entries');
  capped(count * size, MAX_ENTRY_BYTES, 'GPT entries');
}

/** The checksum covers the header with its own field as zero. */
function blankCrc(header: Uint8Array): Uint8Array {
  const copy = new Uint8Array(header);
  view(copy).setUint32(16, 0, true);
  return copy;
}

function checkCrc(bytes: Uint8Array, stored: number, what: string): void {
  const computed = crc32(bytes);
  if (computed !== stored) {
    throw new Corrupt(`${what}: CRC32 is ${computed.toString(16)}, stored ${stored.toString(16)}`);
  }
}

function requireWithin(disk: DiskReader, offset: number, length: number, what: string): void {
  if (offset > disk.size || length > disk.size - offset) {
    throw new Truncated(`${what}: bytes ${offset}..${offset + length} lie outside the disk of ${disk.size} bytes`);
  }
}
