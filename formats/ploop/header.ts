import { decode, exact } from '../engine/bytes.ts';
import { Corrupt } from '../engine/errors.ts';
import { latin1 } from '../engine/text.ts';

export const HEADER_BYTES = 64;
export const SECTOR = 512;
const MAGIC_BYTES = 16;
/** The two magics, and what a table entry counts: sectors, or clusters. */
const MAGICS: Readonly<Record<string, 1 | 2>> = { WithoutFreeSpace: 1, WithouFreSpacExt: 2 };

/** Parallels expandable image header, little endian. */
const HEADER = {
  version: [16, 'u32'],
  heads: [20, 'u32'],
  cylinders: [24, 'u32'],
  clusterSectors: [28, 'u32'],
  tableEntries: [32, 'u32'],
  sizeSectors: [36, 'u64'],
  inUse: [44, 'u32'],
  dataOffset: [48, 'u32'],
  flags: [52, 'u32'],
  extensionOffset: [56, 'u64'],
} as const;

const IN_USE_CLOSED: ReadonlySet<number> = new Set([0x312e_3276, 0]);
/** Far above what writers use (1 MiB); bounds the arithmetic. */
const MAX_CLUSTER = 64 * 1024 * 1024;

export interface PloopHeader {
  /** 1: entries are sectors; 2: entries are clusters. */
  readonly generation: 1 | 2;
  readonly version: number;
  /** Bytes per cluster. */
  readonly clusterSize: number;
  readonly tableEntries: number;
  /** Bytes the guest sees. */
  readonly virtualSize: number;
  readonly closed: boolean;
  /** File offset in bytes before which no cluster lies. */
  readonly dataStart: number;
}

/** The generation that the first bytes name; undefined for anything else. */
export function generationOf(head: Uint8Array): 1 | 2 | undefined {
  return MAGICS[latin1(head.subarray(0, MAGIC_BYTES))];
}

/** @throws Corrupt */
export function parseHeader(bytes: Uint8Array): PloopHeader {
  const generation = generationOf(bytes);
  if (generation === undefined) throw new Corrupt('ploop: unknown magic');
  const raw = decode(HEADER, bytes, 'LE');
  const clusterSize = raw.clusterSectors * SECTOR;
  if (clusterSize === 0 || clusterSize > MAX_CLUSTER) {
    throw new Corrupt(`ploop cluster: ${clusterSize} bytes are not within 1 sector..${MAX_CLUSTER}`);
  }
  // The older magic knows only the low 32 bits; what stands above them is not its size.
  const sectors = generation === 1 ? raw.sizeSectors & 0xffff_ffffn : raw.sizeSectors;
  const virtualSize = exact(sectors * BigInt(SECTOR), 'ploop size');
  if (virtualSize === 0) throw new Corrupt('ploop size: 0');
  if (raw.tableEntries * clusterSize < virtualSize) {
    throw new Corrupt(`ploop table: ${raw.tableEntries} clusters of ${clusterSize} bytes are less than ${virtualSize}`);
  }
  const tableEnd = Math.ceil((HEADER_BYTES + raw.tableEntries * 4) / SECTOR) * SECTOR;
  const dataStart = raw.dataOffset === 0 ? tableEnd : raw.dataOffset * SECTOR;
  if (dataStart < HEADER_BYTES + raw.tableEntries * 4) {
    throw new Corrupt(`ploop data offset: ${dataStart} lies in the table, which ends at ${tableEnd}`);
  }
  return {
    generation,
    version: raw.version,
    clusterSize,
    tableEntries: raw.tableEntries,
    virtualSize,
    closed: IN_USE_CLOSED.has(raw.inUse),
    dataStart,
  };
}
