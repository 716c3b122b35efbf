/**
 * The stored sparse layout of raw images: the disk is cut into logical slices; a slice's segment is its blocks that are
 * not all zero, one after another; an all-zero slice has no segment (docs/architecture.md, Bytes). The last slice, and the
 * last block in it, end where the disk ends.
 */
export const SLICE_BYTES = 16 * 1024 * 1024;
export const BLOCK_BYTES = 64 * 1024;
/** Blocks of a slice at most: the bitmap of a slice has this many bits at any geometry. */
export const MAX_BLOCKS = 256;
export const BITMAP_BYTES = MAX_BLOCKS / 8;

/** Sizes are bytes; `sliceSize` is a multiple of `blockSize`, at most 256 blocks. */
export interface Geometry {
  readonly virtualSize: number;
  readonly sliceSize: number;
  readonly blockSize: number;
}

/** The layout that the service stores. */
export function storedGeometry(virtualSize: number): Geometry {
  return { virtualSize, sliceSize: SLICE_BYTES, blockSize: BLOCK_BYTES };
}

/** Slices of a disk. */
export function sliceCount(geometry: Geometry): number {
  return Math.ceil(geometry.virtualSize / geometry.sliceSize);
}

/** Guest bytes of slice `index`; the last one may be shorter. */
export function sliceLength(geometry: Geometry, index: number): number {
  return Math.min(geometry.sliceSize, geometry.virtualSize - index * geometry.sliceSize);
}

/** Blocks of a slice with `length` guest bytes; the last one may be shorter. */
export function blockCount(geometry: Pick<Geometry, 'blockSize'>, length: number): number {
  return Math.ceil(length / geometry.blockSize);
}

/** True when block `index` has data. Bit 0 of byte 0 is the first block. */
export function hasBlock(bitmap: Uint8Array, index: number): boolean {
  return (((bitmap[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}

export function setBlock(bitmap: Uint8Array, index: number): void {
  bitmap[index >> 3] = (bitmap[index >> 3] ?? 0) | (1 << (index & 7));
}

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);

/** Blocks with data before block `index`: where its bytes stand in the segment. */
export function rank(bitmap: Uint8Array, index: number): number {
  let count = 0;
  const whole = index >> 3;
  for (let at = 0; at < whole; at++) count += ONES[bitmap[at] ?? 0] ?? 0;
  return count + (ONES[(bitmap[whole] ?? 0) & ((1 << (index & 7)) - 1)] ?? 0);
}

/** Bytes of the segment that a bitmap describes, for a slice of `length` guest bytes: whole blocks, the last one cut. */
export function segmentBytes(bitmap: Uint8Array, blockSize: number, length: number): number {
  const blocks = Math.ceil(length / blockSize);
  if (blocks === 0) return 0;
  const cut = hasBlock(bitmap, blocks - 1) ? blocks * blockSize - length : 0;
  return rank(bitmap, blocks) * blockSize - cut;
}
