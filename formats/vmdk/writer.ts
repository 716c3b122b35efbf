/**
 * streamOptimized VMDK as pure functions, for conversion in two phases: grains are encoded wherever and in whatever order;
 * from their lengths alone follow directory, tables and footer. The file is
 *
 *     header (GD_AT_END) · descriptor · pad | grains in guest order | grain tables · directory · footer · end of stream
 *
 * The header does not depend on the grains, and the tables stand behind all of them rather than after every 512 grains, so
 * that grains can be joined in any batches. Readers by position (qemu-img) follow the footer, readers by stream (VMware's
 * importers) go by the markers; both orders are in use (facts section 4.2).
 */

import { deflater } from '#codecs/deflate.ts';
import { concat, roundUp, view } from '../engine/bytes.ts';
import { LimitExceeded } from '../engine/errors.ts';
import { latin1Bytes } from '../engine/text.ts';
import type { Assembler, Encoder, FormatWriter } from '../engine/writer.ts';
import { encodeStreamHeader, SECTOR } from './header.ts';
import { encodeMarker, GRAIN_MARKER_BYTES, MARKER } from './markers.ts';

/** Bytes before the first grain: VMware's writers leave 128 sectors. */
const HEAD_BYTES = 128 * SECTOR;
const DESCRIPTOR_BYTES = 20 * SECTOR;
const TABLE_ENTRIES = 512;
const TABLE_BYTES = TABLE_ENTRIES * 4;
/** Tables, each with its marker, that one piece of the tail holds: 640 KiB. */
const TABLES_PER_PIECE = 256;
/** Sector numbers have 32 bits. */
const MAX_FILE = 2 ** 32 * SECTOR;

/** zlib's default level, as qemu's: less costs size on periodic data. A larger hash table costs nothing. */
const deflate = deflater({ kind: 'zlib', level: 6, memLevel: 9, windowBits: 15 });

const GRAIN_BYTES = 64 * 1024;

/** streamOptimized VMDK as a target. */
export const vmdkWriter = {
  format: 'vmdk',
  compressions: ['zlib'],
  properties: { vmware_disktype: 'streamOptimized' },
  sectorSize: SECTOR,
  blockSize: () => GRAIN_BYTES,
  tables: {
    headLength: () => HEAD_BYTES,
    encoder: () => GRAINS,
    assemble: ({ outputSize, target }, index) =>
      assembleStream({ virtualSize: outputSize, grainSize: target.blockSize }, index),
  },
} as const satisfies FormatWriter;

/** What a stream is made for; sizes in bytes, `virtualSize` a multiple of 512, `grainSize` a power of two from 4 KiB. */
export interface StreamShape {
  readonly virtualSize: number;
  readonly grainSize: number;
}

/** Most bytes that a stored grain can take: what deflate adds to noise, the marker, and padding. */
export function grainRoom(grainSize: number): number {
  return roundUp(GRAIN_MARKER_BYTES + grainSize + Math.ceil(grainSize / 1000) + 1024, SECTOR);
}

/**
 * A grain as it is stored, position-independent: marker, zlib stream, padding to a sector. A grain of zeros is not stored.
 * @param lba first sector of the grain in the guest
 * @param bytes the whole grain, zeros past the end of the disk
 * @param target takes the stored grain from its beginning; `grainRoom` bytes
 * @returns bytes written, a multiple of 512
 */
export function encodeGrain(lba: number, bytes: Uint8Array, target: Uint8Array): number {
  const length = deflate(bytes, target.subarray(GRAIN_MARKER_BYTES));
  if (length === undefined) throw new RangeError(`grain of ${bytes.length} bytes: no room in ${target.length}`);
  const marker = view(target);
  marker.setBigUint64(0, BigInt(lba), true);
  marker.setUint32(8, length, true);
  const end = GRAIN_MARKER_BYTES + length;
  const stored = roundUp(end, SECTOR);
  target.fill(0, end, stored);
  return stored;
}

const GRAINS: Encoder = {
  room: grainRoom,
  encode: (block, guestOffset, target) => encodeGrain(guestOffset / SECTOR, block, target),
};

/** Header and descriptor: a function of the shape alone. */
export function streamHead(shape: StreamShape): Uint8Array {
  const out = new Uint8Array(HEAD_BYTES);
  out.set(header(shape, undefined), 0);
  out.set(latin1Bytes(descriptor(shape.virtualSize / SECTOR)), SECTOR);
  return out;
}

/**
 * Header, tables and footer around stored grains.
 * @param lengths per grain in guest order the bytes that `encodeGrain` gave, 0 for none; grains stand one behind another
 * @throws LimitExceeded when the file would pass 2 TiB
 */
export function assembleStream(shape: StreamShape, lengths: Uint32Array): Assembler & { readonly headLength: number } {
  const directoryBytes = roundUp(Math.ceil(lengths.length / TABLE_ENTRIES) * 4, SECTOR);
  const tables = countTables(lengths);
  const tablesAt = HEAD_BYTES + lengths.reduce((sum, length) => sum + length, 0);
  const directoryAt = tablesAt + tables * (SECTOR + TABLE_BYTES) + SECTOR;
  const tailLength = directoryAt - tablesAt + directoryBytes + 3 * SECTOR;
  if (tablesAt + tailLength > MAX_FILE) {
    throw new LimitExceeded(`streamOptimized VMDK: ${tablesAt + tailLength} bytes, sector numbers reach ${MAX_FILE}`);
  }
  return {
    headLength: HEAD_BYTES,
    tailLength,
    head: () => [streamHead(shape)],
    *tail() {
      const directory = new Uint8Array(SECTOR + directoryBytes);
      directory.set(encodeMarker(MARKER.grainDirectory, directoryBytes / SECTOR));
      yield* grainTables(lengths, tablesAt, view(directory.subarray(SECTOR)));
      yield directory;
      yield footer(header(shape, directoryAt));
    },
  };
}

function countTables(lengths: Uint32Array): number {
  let count = 0;
  for (let first = 0; first < lengths.length; first += TABLE_ENTRIES) {
    if (lengths.subarray(first, first + TABLE_ENTRIES).some((length) => length > 0)) count++;
  }
  return count;
}

/** The tables that have a grain, each behind its marker, several to a piece; enters their places into `directory`. */
function* grainTables(lengths: Uint32Array, tablesAt: number, directory: DataView): Generator<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let tableAt = tablesAt;
  let grainAt = HEAD_BYTES;
  for (let first = 0; first < lengths.length; first += TABLE_ENTRIES) {
    const table = new Uint8Array(TABLE_BYTES);
    const entries = view(table);
    const before = grainAt;
    for (const [i, length] of lengths.subarray(first, first + TABLE_ENTRIES).entries()) {
      if (length > 0) entries.setUint32(i * 4, grainAt / SECTOR, true);
      grainAt += length;
    }
    if (grainAt === before) continue;
    directory.setUint32((first / TABLE_ENTRIES) * 4, (tableAt + SECTOR) / SECTOR, true);
    pieces.push(encodeMarker(MARKER.grainTable, TABLE_BYTES / SECTOR), table);
    tableAt += SECTOR + TABLE_BYTES;
    if (pieces.length >= 2 * TABLES_PER_PIECE) {
      yield concat(pieces);
      pieces = [];
    }
  }
  if (pieces.length > 0) yield concat(pieces);
}

function footer(bytes: Uint8Array): Uint8Array {
  return concat([encodeMarker(MARKER.footer, 1), bytes, encodeMarker(MARKER.endOfStream, 0)]);
}

function header({ virtualSize, grainSize }: StreamShape, directoryOffset: number | undefined): Uint8Array {
  return encodeStreamHeader({
    capacity: virtualSize,
    grainSize,
    descriptorSize: DESCRIPTOR_BYTES,
    tableEntries: TABLE_ENTRIES,
    directoryOffset,
    overHead: HEAD_BYTES,
  });
}

/** What a SCSI adapter reports; the cylinders are what a disk of this size would have. */
const HEADS = 255;
const SECTORS_PER_TRACK = 63;

function descriptor(sectors: number): string {
  return `# Disk DescriptorFile
version=1
CID=fffffffe
parentCID=ffffffff
createType="streamOptimized"

# Extent description
RW ${sectors} SPARSE "disk.vmdk"

# The Disk Data Base
#DDB

ddb.virtualHWVersion = "4"
ddb.geometry.cylinders = "${Math.max(1, Math.floor(sectors / (HEADS * SECTORS_PER_TRACK)))}"
ddb.geometry.heads = "${HEADS}"
ddb.geometry.sectors = "${SECTORS_PER_TRACK}"
ddb.adapterType = "lsilogic"
`;
}
