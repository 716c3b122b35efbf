import { Corrupt, Truncated } from './errors.ts';

/** Answers of `BlockMap.locate` that are not an offset: never written, and written as zeros. Both read as zeros. */
export const HOLE = -1;
export const ZERO = -2;

/** A range of the file that holds structures, where no guest data can be. */
export interface Reserved {
  readonly what: string;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** How a stored block becomes guest bytes when it is not stored as it is. Pure. */
export interface BlockCodec {
  /** Most bytes a stored block can take, its marker included. */
  readonly maxStored: number;
  /** Fewest bytes a stored block can take. */
  readonly minStored: number;
  /**
   * The guest bytes of `block`: at least those within the virtual size, at most one block.
   * @param stored bytes from the block's location on, as many as the file has up to `maxStored`; more than the block's own
   * @param room memory of a whole block to decode into
   * @returns the beginning of `room`
   * @throws Corrupt, Truncated
   */
  decode(block: number, stored: Uint8Array, room: Uint8Array): Uint8Array;
  /**
   * The zlib stream (RFC 1950) of `block` within what `decode` gets.
   * @throws Corrupt, Truncated
   */
  stream(block: number, stored: Uint8Array): Uint8Array;
}

/**
 * Where the blocks of a disk are: what VMDK, VHD, VHDX, VDI and ploop have in common. The guest is cut into blocks of
 * one size; a table says for each where in the file it is.
 */
export interface BlockMap {
  readonly virtualSize: number;
  /** Guest bytes per block, any positive integer; the last block may reach past the virtual size. */
  readonly blockSize: number;
  /** Bytes right before a block's data that belong to it, a bitmap of its sectors; default 0. */
  readonly lead?: number;
  /** Ranges that no block may touch. Few: each is compared with every block. */
  readonly reserved: readonly Reserved[];
  /** Where guest data ends in the file: its size, less a footer. */
  readonly end: number;
  /** Absent when blocks are stored as they are. */
  readonly codec?: BlockCodec;
  /**
   * For `count` blocks from `first`: the file offset of the data in bytes, HOLE or ZERO. Not yet checked against the file.
   * @throws Truncated, Corrupt when the table itself is damaged
   */
  locate(first: number, count: number): Promise<Float64Array>;
}

/** Blocks of the guest, the last one included when it is partial. */
export function blockCount(map: { readonly virtualSize: number; readonly blockSize: number }): number {
  return Math.ceil(map.virtualSize / map.blockSize);
}

/** Guest bytes of a block that lie within the virtual size. */
function blockLength(map: BlockMap, block: number): number {
  return Math.min(map.blockSize, map.virtualSize - block * map.blockSize);
}

/**
 * `locate`, with every offset checked: the block lies within the file and not over structures. A last block may be cut
 * off as long as only bytes past the virtual size are missing.
 * @throws Truncated, Corrupt
 */
export async function placed(map: BlockMap, first: number, count: number): Promise<Float64Array> {
  const places = await map.locate(first, count);
  for (let i = 0; i < places.length; i++) {
    const offset = places[i] ?? HOLE;
    if (offset >= 0) assertPlaced(map, first + i, offset);
  }
  return places;
}

function assertPlaced(map: BlockMap, block: number, offset: number): void {
  const length = map.codec?.minStored ?? blockLength(map, block);
  if (offset + length > map.end) {
    throw new Truncated(
      `block ${block}: bytes ${offset}..${offset + length} lie past the end of the data at ${map.end}`,
    );
  }
  for (const { what, start, end } of map.reserved) {
    if (offset - (map.lead ?? 0) < end && offset + length > start) {
      throw new Corrupt(`block ${block}: offset ${offset} lies in the ${what} at ${start}..${end}`);
    }
  }
}

/** Blocks whose entries one call of `locate` answers. */
export const LOCATE_BLOCKS = 8192;
/** Inspection looks at this many blocks (256 GiB of 64 KiB grains) ... */
const SURVEY_BLOCKS = 4 * 1024 * 1024;
/** ... and reads this many table pages; what lies beyond is checked when it is read. */
const SURVEY_LOADS = 128;

/**
 * Checks the whole table: every block within the file, no two over one another.
 * @returns guest bytes with data, or undefined when the table is too long to be looked at during an inspection
 * @throws Truncated, Corrupt; the codes of both are findings that refuse
 */
export async function survey(map: BlockMap, pages: { readonly loads: number }): Promise<number | undefined> {
  const count = blockCount(map);
  if (count > SURVEY_BLOCKS) return undefined;
  const offsets = new OffsetList();
  let allocated = 0;
  for (let first = 0; first < count; first += LOCATE_BLOCKS) {
    if (pages.loads > SURVEY_LOADS) return undefined;
    const places = await placed(map, first, Math.min(LOCATE_BLOCKS, count - first));
    for (let i = 0; i < places.length; i++) {
      const offset = places[i] ?? HOLE;
      if (offset < 0) continue;
      offsets.push(offset);
      allocated += blockLength(map, first + i);
    }
  }
  assertDisjoint(offsets.sorted(), (map.lead ?? 0) + (map.codec?.minStored ?? map.blockSize));
  return allocated;
}

function assertDisjoint(sorted: Float64Array, length: number): void {
  for (let i = 1; i < sorted.length; i++) {
    const before = sorted[i - 1] ?? 0;
    const offset = sorted[i] ?? 0;
    if (offset - before < length) {
      throw new Corrupt(`blocks at ${before} and ${offset} lie over one another: a block has ${length} bytes`);
    }
  }
}

/** A growing list of offsets, 8 bytes each. */
class OffsetList {
  #values = new Float64Array(4096);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = new Float64Array(this.#length * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#length++] = value;
  }

  sorted(): Float64Array {
    return this.#values.subarray(0, this.#length).sort();
  }
}
