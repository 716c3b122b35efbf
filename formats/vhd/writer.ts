/**
 * VHD as a target, dynamic or fixed, as pure functions. A dynamic disk is
 *
 *     copy of the footer · dynamic header · block allocation table | blocks, each behind its sector bitmap | footer
 *
 * and a fixed one the guest's bytes with the footer behind them. Facts section 5.
 */
import { roundUp, view } from '../engine/bytes.ts';
import { OffsetCursor } from '../engine/offset-cursor.ts';
import type { Assembler, Encoder, FormatWriter, SlicePlaces, TargetLayout } from '../engine/writer.ts';
import { ABSENT, bitmapBytesOf, ENTRY_BYTES, tableBytes } from './block-table.ts';
import { DYNAMIC_HEADER_BYTES, encodeDynamicHeader, NO_OFFSET } from './dynamic-header.ts';
import { encodeFooter, FOOTER_BYTES, MAX_BYTES, SECTOR } from './footer.ts';

/** What Hyper-V and qemu write. */
const BLOCK_BYTES = 2 * 1024 * 1024;
const BITMAP_BYTES = bitmapBytesOf(BLOCK_BYTES);
const TABLE_AT = FOOTER_BYTES + DYNAMIC_HEADER_BYTES;
/** Blocks whose entries one piece of the table holds: 256 KiB. */
const PIECE_BLOCKS = 64 * 1024;
const NIL_UUID = '00000000-0000-0000-0000-000000000000';

const COMMON = {
  format: 'vhd',
  compressions: ['none'],
  properties: {},
  sectorSize: SECTOR,
  wholeMib: true,
  maxSize: MAX_BYTES,
} as const;

/** A block that holds data is stored whole, every sector of it marked as written. */
const BLOCKS: Encoder = {
  room: (blockSize) => BITMAP_BYTES + blockSize,
  encode(block, _, target) {
    target.fill(0xff, 0, BITMAP_BYTES);
    target.set(block, BITMAP_BYTES);
    return BITMAP_BYTES + block.length;
  },
};

/** A VHD that grows: zeros are not stored. */
export const vhdDynamicWriter = {
  ...COMMON,
  subformat: 'dynamic',
  blockSize: () => BLOCK_BYTES,
  tables: { headLength, encoder: () => BLOCKS, assemble },
} as const satisfies FormatWriter;

/** A VHD as Azure takes it: as long as the disk. */
export const vhdFixedWriter = {
  ...COMMON,
  subformat: 'fixed',
  blockSize: () => 1,
  trailer: ({ outputSize: currentSize, identity: uniqueId = NIL_UUID }) =>
    encodeFooter({ diskType: 2, dataOffset: NO_OFFSET, currentSize, uniqueId }),
} as const satisfies FormatWriter;

const entriesOf = ({ outputSize }: Pick<TargetLayout, 'outputSize'>): number => Math.ceil(outputSize / BLOCK_BYTES);

function headLength(layout: TargetLayout): number {
  return TABLE_AT + tableBytes({ maxTableEntries: entriesOf(layout) });
}

function assemble(layout: TargetLayout, index: Uint32Array, places: SlicePlaces): Assembler {
  const { outputSize: currentSize, identity: uniqueId = NIL_UUID } = layout;
  const footer = encodeFooter({ diskType: 3, dataOffset: BigInt(FOOTER_BYTES), currentSize, uniqueId });
  const maxTableEntries = entriesOf(layout);
  return {
    tailLength: FOOTER_BYTES,
    *head() {
      yield footer;
      yield encodeDynamicHeader({ tableOffset: TABLE_AT, maxTableEntries, blockSize: BLOCK_BYTES });
      yield* table(layout, index, places);
    },
    tail: () => [footer],
  };
}

/** The block allocation table, padded to a sector with entries of absent blocks. */
function* table(layout: TargetLayout, index: Uint32Array, places: SlicePlaces): Generator<Uint8Array> {
  const cursor = new OffsetCursor(layout, index, places);
  const offsets = new Float64Array(Math.min(PIECE_BLOCKS, index.length));
  for (let first = 0; first < index.length; first += PIECE_BLOCKS) {
    const end = Math.min(first + PIECE_BLOCKS, index.length);
    cursor.offsets(first, end, offsets);
    const bytes = new Uint8Array(roundUp((end - first) * ENTRY_BYTES, SECTOR)).fill(0xff);
    const entries = view(bytes);
    for (let block = first; block < end; block++) {
      const sector = index[block] === 0 ? ABSENT : (offsets[block - first] ?? 0) / SECTOR;
      entries.setUint32((block - first) * ENTRY_BYTES, sector);
    }
    yield bytes;
  }
}
