/**
 * Dynamic VHDX as a target, as pure functions. The file is
 *
 *     identifier, headers, region tables · log, empty · metadata · block allocation table | blocks in guest order
 *
 * in steps of 1 MiB; everything in it follows from the plan and from which blocks are stored. Facts section 6, [MS-VHDX].
 */
import { roundUp, view } from '../engine/bytes.ts';
import { OffsetCursor } from '../engine/offset-cursor.ts';
import type { Assembler, FormatWriter, SlicePlaces, TargetLayout } from '../engine/writer.ts';
import { type BlockShape, chunkRatio, ENTRY_BYTES, FULLY_PRESENT, tableBytes } from './block-table.ts';
import { NIL_GUID } from './guid.ts';
import { encodeHeader, encodeIdentifier, HEADERS_AT, MiB } from './header.ts';
import { encodeMetadata, MAX_VIRTUAL_SIZE } from './metadata.ts';
import { encodeRegions, TABLES_AT } from './regions.ts';

/** Small beside what Hyper-V writes (32 MiB), so that a disk with little in it stays small. */
const BLOCK_BYTES = 2 * MiB;
const LOGICAL_SECTOR = 512;
/** Sectors of current disks, what Hyper-V writes; a guest aligns to it. */
const PHYSICAL_SECTOR = 4096;
const CREATOR = 'Glimpse';

const LOG = { start: MiB, end: 2 * MiB } as const;
const METADATA = { what: 'metadata', start: 2 * MiB, end: 3 * MiB } as const;
const TABLE_AT = METADATA.end;

/** A VHDX that grows: zeros are not stored. */
export const vhdxWriter = {
  format: 'vhdx',
  compressions: ['none'],
  properties: {},
  sectorSize: LOGICAL_SECTOR,
  wholeMib: true,
  maxSize: MAX_VIRTUAL_SIZE,
  blockSize: () => BLOCK_BYTES,
  tables: { headLength: (layout) => roundUp(tableEnd(layout), BLOCK_BYTES), encoder: () => undefined, assemble },
} as const satisfies FormatWriter;

const shapeOf = ({ outputSize }: Pick<TargetLayout, 'outputSize'>): BlockShape => ({
  virtualSize: outputSize,
  blockSize: BLOCK_BYTES,
  logicalSectorSize: LOGICAL_SECTOR,
});

const tableEnd = (layout: TargetLayout): number => TABLE_AT + roundUp(tableBytes(shapeOf(layout)), MiB);

function assemble(layout: TargetLayout, index: Uint32Array, places: SlicePlaces): Assembler {
  return {
    tailLength: 0,
    *head() {
      yield front(layout);
      yield new Uint8Array(LOG.end - LOG.start);
      yield padded(
        encodeMetadata({ ...shapeOf(layout), physicalSectorSize: PHYSICAL_SECTOR, identity: guidOf(layout) }),
      );
      yield* table(layout, index, places);
      const gap = roundUp(tableEnd(layout), BLOCK_BYTES) - tableEnd(layout);
      if (gap > 0) yield new Uint8Array(gap);
    },
    tail: () => [],
  };
}

const guidOf = ({ identity = NIL_GUID }: TargetLayout): string => identity;

/** The first MiB: both headers, of which the second is current, and both region tables, which are alike. */
function front(layout: TargetLayout): Uint8Array {
  const bytes = new Uint8Array(MiB);
  const log = { logOffset: LOG.start, logLength: LOG.end - LOG.start };
  bytes.set(encodeIdentifier(CREATOR));
  for (const [i, at] of HEADERS_AT.entries()) {
    bytes.set(encodeHeader({ ...log, sequenceNumber: BigInt(i + 1), writeGuid: guidOf(layout) }), at);
  }
  const regions = encodeRegions({
    table: { what: 'table', start: TABLE_AT, end: tableEnd(layout) },
    metadata: METADATA,
  });
  for (const at of TABLES_AT) bytes.set(regions, at);
  return bytes;
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(METADATA.end - METADATA.start);
  whole.set(bytes);
  return whole;
}

/**
 * The block allocation table, chunk by chunk: payload entries, and behind each full chunk that of its sector bitmap, which a disk
 * without a parent has not.
 */
function* table(layout: TargetLayout, index: Uint32Array, places: SlicePlaces): Generator<Uint8Array> {
  const ratio = chunkRatio(shapeOf(layout));
  const cursor = new OffsetCursor(layout, index, places);
  const offsets = new Float64Array(ratio);
  let left = tableEnd(layout) - TABLE_AT;
  for (let first = 0; first < index.length; first += ratio) {
    const end = Math.min(first + ratio, index.length);
    cursor.offsets(first, end, offsets);
    const bytes = new Uint8Array(Math.min(left, (ratio + 1) * ENTRY_BYTES));
    const entries = view(bytes);
    for (let block = first; block < end; block++) {
      if (index[block] === 0) continue;
      // Offsets are whole MiB, so that the state has the low bits for itself.
      entries.setBigUint64((block - first) * ENTRY_BYTES, BigInt((offsets[block - first] ?? 0) + FULLY_PRESENT), true);
    }
    left -= bytes.length;
    yield bytes;
  }
  if (left > 0) yield new Uint8Array(left);
}
