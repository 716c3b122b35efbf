import { decode, encode, exact } from '../engine/bytes.ts';
import { Corrupt, Unsupported } from '../engine/errors.ts';
import { hasText } from '../engine/match.ts';
import { latin1, latin1Bytes } from '../engine/text.ts';

export const SECTOR = 512;
const MAGIC = 'KDMV';
/** `gdOffset` of a header whose directory is named by the footer only. */
const GD_AT_END = 0xffff_ffff_ffff_ffffn;
export const FLAG = {
  newlineTest: 0x1,
  redundantTable: 0x2,
  zeroedGrain: 0x4,
  compressed: 0x1_0000,
  markers: 0x2_0000,
} as const;
export const KNOWN_FLAGS = Object.values(FLAG).reduce((all, flag) => all | flag, 0);
export const DEFLATE = 1;

/** Hosted sparse extent header, little endian and packed (Virtual Disk Format 5.0, "Hosted Sparse Extents"). */
const HEADER = {
  version: [4, 'u32'],
  flags: [8, 'u32'],
  capacity: [12, 'u64'],
  grainSize: [20, 'u64'],
  descriptorOffset: [28, 'u64'],
  descriptorSize: [36, 'u64'],
  numGTEsPerGT: [44, 'u32'],
  rgdOffset: [48, 'u64'],
  gdOffset: [56, 'u64'],
  overHead: [64, 'u64'],
  uncleanShutdown: [72, 'u8'],
  compressAlgorithm: [77, 'u16'],
} as const;
const NEWLINE_AT = 73;
/** Bytes that a transfer in text mode would have changed. */
const NEWLINE_TEST = '\n \r\n';

/** Grains below 4 KiB make tables out of proportion, above 1 MiB nobody writes them. */
const MIN_GRAIN_SECTORS = 8;
const MAX_GRAIN_SECTORS = 2048;
const MAX_TABLE_ENTRIES = 512;

export interface SparseHeader {
  readonly version: number;
  readonly flags: number;
  /** Bytes the guest sees. */
  readonly capacity: number;
  /** Guest bytes per grain. */
  readonly grainSize: number;
  /** File range of the embedded descriptor in bytes; empty when there is none. */
  readonly descriptorOffset: number;
  readonly descriptorSize: number;
  /** Grains per grain table. */
  readonly tableEntries: number;
  /** File offset of the grain directory in bytes; undefined: the footer names it. */
  readonly directoryOffset: number | undefined;
  readonly uncleanShutdown: boolean;
  readonly compressAlgorithm: number;
}

/** True when a sparse extent's header begins at `at`. */
export function hasMagic(bytes: Uint8Array, at = 0): boolean {
  return hasText(bytes, at, MAGIC);
}

/** Reads a header or a footer. @throws Corrupt, Unsupported */
export function parseHeader(bytes: Uint8Array): SparseHeader {
  const raw = decode(HEADER, bytes, 'LE');
  if (raw.version < 1 || raw.version > 3) throw new Unsupported(`VMDK version ${raw.version} is not within 1..3`);
  const newline = latin1(bytes.subarray(NEWLINE_AT, NEWLINE_AT + 4));
  if ((raw.flags & FLAG.newlineTest) !== 0 && newline !== NEWLINE_TEST) {
    throw new Corrupt(`VMDK header: the newline test reads ${JSON.stringify(newline)}: damaged by a transfer as text`);
  }
  const bytesOf = (sectors: bigint, what: string): number => exact(sectors * BigInt(SECTOR), `VMDK ${what}`);
  const header = {
    version: raw.version,
    flags: raw.flags,
    capacity: bytesOf(raw.capacity, 'capacity'),
    grainSize: bytesOf(raw.grainSize, 'grain size'),
    descriptorOffset: bytesOf(raw.descriptorOffset, 'descriptor offset'),
    descriptorSize: bytesOf(raw.descriptorSize, 'descriptor size'),
    tableEntries: raw.numGTEsPerGT,
    directoryOffset: raw.gdOffset === GD_AT_END ? undefined : bytesOf(raw.gdOffset, 'grain directory offset'),
    uncleanShutdown: raw.uncleanShutdown !== 0,
    compressAlgorithm: raw.compressAlgorithm,
  };
  check(header);
  return header;
}

function check({ capacity, grainSize, tableEntries }: SparseHeader): void {
  // qemu opens the descriptor's files instead when the capacity is 0 (facts section 4.3).
  if (capacity === 0) throw new Corrupt('VMDK capacity: 0');
  const sectors = grainSize / SECTOR;
  const power = Number.isInteger(Math.log2(sectors));
  if (!power || sectors < MIN_GRAIN_SECTORS || sectors > MAX_GRAIN_SECTORS) {
    throw new Corrupt(
      `VMDK grain size: ${sectors} sectors are not a power of two within ${MIN_GRAIN_SECTORS}..${MAX_GRAIN_SECTORS}`,
    );
  }
  if (tableEntries < 1 || tableEntries > MAX_TABLE_ENTRIES) {
    throw new Corrupt(`VMDK grain table: ${tableEntries} entries are not within 1..${MAX_TABLE_ENTRIES}`);
  }
}

/** The 512 bytes of a streamOptimized header (`directoryOffset` undefined) or of its footer. Sizes in bytes. */
export function encodeStreamHeader(fields: {
  readonly capacity: number;
  readonly grainSize: number;
  readonly descriptorSize: number;
  readonly tableEntries: number;
  readonly directoryOffset: number | undefined;
  readonly overHead: number;
}): Uint8Array {
  const sectors = (bytes: number): bigint => BigInt(bytes / SECTOR);
  const out = new Uint8Array(SECTOR);
  out.set(latin1Bytes(MAGIC));
  encode(
    HEADER,
    {
      version: 1,
      flags: FLAG.newlineTest | FLAG.compressed | FLAG.markers,
      capacity: sectors(fields.capacity),
      grainSize: sectors(fields.grainSize),
      descriptorOffset: 1n,
      descriptorSize: sectors(fields.descriptorSize),
      numGTEsPerGT: fields.tableEntries,
      rgdOffset: 0n,
      gdOffset: fields.directoryOffset === undefined ? GD_AT_END : sectors(fields.directoryOffset),
      overHead: sectors(fields.overHead),
      uncleanShutdown: 0,
      compressAlgorithm: DEFLATE,
    },
    out,
    'LE',
  );
  out.set(latin1Bytes(NEWLINE_TEST), NEWLINE_AT);
  return out;
}
