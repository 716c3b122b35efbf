import { isZero, uninitialized } from '#codecs/bytes.ts';
import { crc32 } from '#codecs/crc32.ts';
import { BITMAP_BYTES, BLOCK_BYTES, blockCount, hasBlock, MAX_BLOCKS, segmentBytes, setBlock } from './geometry.ts';

/** A slice as it is stored. */
export interface PackedSlice {
  /** One bit per block, 32 bytes; bit 0 of byte 0 is the first block. */
  readonly bitmap: Uint8Array;
  /** The blocks that are not all zero, one after another; empty for an all-zero slice. May share the packer's input. */
  readonly segment: Uint8Array;
  /** CRC-32 (as gzip and S3) of the segment; 0 for an empty one. */
  readonly crc32: number;
}

/**
 * Packs the guest bytes of one slice. A slice without zero blocks is returned as it is, without a copy; otherwise runs of
 * blocks are copied once.
 * @param slice the whole slice; only the last one of a disk is shorter than the slice size
 * @param into memory for the segment, its own when absent. It may be the slice itself, whose bytes are lost then: nothing is
 *   allocated, which matters to workers that pack gigabytes
 */
export function packSlice(slice: Uint8Array, blockSize: number = BLOCK_BYTES, into?: Uint8Array): PackedSlice {
  const { bitmap, blocks } = survey(slice, blockSize);
  const segment = gather(slice, bitmap, blockSize, blocks, into);
  return { bitmap, segment, crc32: segment.length === 0 ? 0 : crc32(segment) };
}

/** Which blocks are not all zero. */
function survey(slice: Uint8Array, blockSize: number): { readonly bitmap: Uint8Array; readonly blocks: number } {
  const blocks = blockCount({ blockSize }, slice.length);
  if (blocks > MAX_BLOCKS) throw new RangeError(`a slice has ${blocks} blocks, ${MAX_BLOCKS} at most`);
  const bitmap = new Uint8Array(BITMAP_BYTES);
  for (let index = 0; index < blocks; index++) {
    if (!isZero(slice.subarray(index * blockSize, (index + 1) * blockSize))) setBlock(bitmap, index);
  }
  return { bitmap, blocks };
}

/** Runs of blocks with data as [first block, one past the last]. */
function* blockRuns(bitmap: Uint8Array, blocks: number): Generator<[first: number, end: number]> {
  for (let index = 0; index < blocks; index++) {
    if (!hasBlock(bitmap, index)) continue;
    const first = index;
    while (index < blocks && hasBlock(bitmap, index)) index++;
    yield [first, index];
  }
}

function gather(
  slice: Uint8Array,
  bitmap: Uint8Array,
  blockSize: number,
  blocks: number,
  into?: Uint8Array,
): Uint8Array {
  const length = segmentBytes(bitmap, blockSize, slice.length);
  if (length === slice.length) return slice;
  const segment = into?.subarray(0, length) ?? uninitialized(length);
  let at = 0;
  for (const [first, end] of blockRuns(bitmap, blocks)) {
    // Runs move towards the front, if at all, so that within one memory none is overwritten before it is moved.
    const run = slice.subarray(first * blockSize, end * blockSize);
    segment.set(run, at);
    at += run.length;
  }
  return segment;
}
