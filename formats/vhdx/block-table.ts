import type { BlockMap } from '../engine/block-map.ts';
import { blockCount, HOLE, ZERO } from '../engine/block-map.ts';
import { view } from '../engine/bytes.ts';
import { Corrupt } from '../engine/errors.ts';
import type { TablePages } from '../engine/table-pages.ts';
import type { VhdxMetadata } from './metadata.ts';
import type { Region } from './regions.ts';

export const ENTRY_BYTES = 8;
/** Sectors that one sector bitmap block covers ([MS-VHDX] 2.5). */
const CHUNK_SECTORS = 2 ** 23;
const STATE_MASK = 7;
/** Bits 20..31 of the lower half: with the upper half the file offset, a multiple of 1 MiB. */
const OFFSET_MASK = 0xfff0_0000;
export const FULLY_PRESENT = 6;

/** What the states other than "fully present" mean in a disk without parent; 4 and 7 have no meaning there. */
const PLACE_OF_STATE: Readonly<Record<number, number>> = { 0: HOLE, 1: HOLE, 2: ZERO, 3: HOLE, 5: HOLE };

/** What the size of the table follows from. */
export type BlockShape = Pick<VhdxMetadata, 'virtualSize' | 'blockSize' | 'logicalSectorSize'>;

/** Payload entries between two sector bitmap entries. */
export function chunkRatio({ logicalSectorSize, blockSize }: BlockShape): number {
  return (CHUNK_SECTORS * logicalSectorSize) / blockSize;
}

/** Bytes of the table that the disk needs: payload entries, and a sector bitmap entry after each full chunk. */
export function tableBytes(metadata: BlockShape): number {
  const blocks = blockCount(metadata);
  return (blocks + Math.floor((blocks - 1) / chunkRatio(metadata))) * ENTRY_BYTES;
}

/** The map of a disk without parent. */
export function blockMap(
  metadata: VhdxMetadata,
  table: Region,
  tables: TablePages,
  reserved: readonly Region[],
  end: number,
): BlockMap {
  const ratio = chunkRatio(metadata);
  const indexOf = (block: number): number => block + Math.floor(block / ratio);
  return {
    virtualSize: metadata.virtualSize,
    blockSize: metadata.blockSize,
    reserved,
    end,
    async locate(first, count) {
      const from = indexOf(first);
      const bytes = (indexOf(first + count - 1) - from + 1) * ENTRY_BYTES;
      const entries = view(await tables.read(table.start + from * ENTRY_BYTES, bytes, 'VHDX block allocation table'));
      const places = new Float64Array(count);
      for (let i = 0; i < count; i++) {
        const at = (indexOf(first + i) - from) * ENTRY_BYTES;
        places[i] = placeOf(entries.getUint32(at, true), entries.getUint32(at + 4, true), first + i);
      }
      return places;
    },
  };
}

function placeOf(low: number, high: number, block: number): number {
  const state = low & STATE_MASK;
  // Exact although it may pass 2^53: the low 20 bits are zero.
  if (state === FULLY_PRESENT) return high * 2 ** 32 + ((low & OFFSET_MASK) >>> 0);
  const place = PLACE_OF_STATE[state];
  if (place === undefined)
    throw new Corrupt(`VHDX block ${block}: state ${state} has no meaning in a disk without parent`);
  return place;
}
