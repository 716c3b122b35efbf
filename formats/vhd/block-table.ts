import type { BlockMap, Reserved } from '../engine/block-map.ts';
import { HOLE } from '../engine/block-map.ts';
import { roundUp, view } from '../engine/bytes.ts';
import type { TablePages } from '../engine/table-pages.ts';
import type { DynamicHeader } from './dynamic-header.ts';
import { SECTOR } from './footer.ts';

export const ABSENT = 0xffff_ffff;
export const ENTRY_BYTES = 4;

/** Bytes of the block allocation table, its padding included. */
export function tableBytes(header: Pick<DynamicHeader, 'maxTableEntries'>): number {
  return roundUp(header.maxTableEntries * ENTRY_BYTES, SECTOR);
}

/** Bytes of the sector bitmap in front of each block. */
export function bitmapBytesOf(blockSize: number): number {
  return roundUp(blockSize / SECTOR / 8, SECTOR);
}

/**
 * The map of a dynamic disk. An entry is the sector of a block's sector bitmap, the data stands behind it. The bitmap is
 * not read: a dynamic disk has no parent, and a sector never written holds zeros.
 * @param end where data ends in the file: the footer's offset
 */
export function dynamicMap(
  header: DynamicHeader,
  virtualSize: number,
  tables: TablePages,
  reserved: readonly Reserved[],
  end: number,
): BlockMap {
  const bitmapBytes = bitmapBytesOf(header.blockSize);
  return {
    virtualSize,
    blockSize: header.blockSize,
    lead: bitmapBytes,
    reserved,
    end,
    async locate(first, count) {
      const at = header.tableOffset + first * ENTRY_BYTES;
      const entries = view(await tables.read(at, count * ENTRY_BYTES, 'VHD block allocation table'));
      const places = new Float64Array(count);
      for (let i = 0; i < count; i++) {
        const sector = entries.getUint32(i * ENTRY_BYTES, false);
        places[i] = sector === ABSENT ? HOLE : sector * SECTOR + bitmapBytes;
      }
      return places;
    },
  };
}

/** Bytes of the pieces a fixed disk is read in; it has no blocks of its own. */
const LINEAR_BLOCK = 2 * 1024 * 1024;

/** The map of a fixed disk: guest bytes are file bytes. */
export function fixedMap(virtualSize: number, end: number): BlockMap {
  return {
    virtualSize,
    blockSize: LINEAR_BLOCK,
    reserved: [],
    end,
    async locate(first, count) {
      return Float64Array.from({ length: count }, (_, i) => (first + i) * LINEAR_BLOCK);
    },
  };
}
