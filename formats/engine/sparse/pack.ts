import { isZero, uninitialized } from '#codecs/bytes.ts';
import { crc32 } from '#codecs/crc32.ts';
import { Corrupt } from '../errors.ts';
import {
  BITMAP_BYTES,
  BLOCK_BYTES,
  blockCount,
  type Geometry,
  hasBlock,
  MAX_BLOCKS,
  SLICE_BYTES,
  segmentBytes,
  setBlock,
} from './geometry.ts';

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
 */
export function packSlice(slice: Uint8Array, blockSize: number = BLOCK_BYTES): PackedSlice {
  const { bitmap, blocks } = survey(slice, blockSize);
  const segment = gather(slice, bitmap, blockSize, blocks);
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

/**
 * As `packSlice`, but moves the blocks together within the slice itself, whose bytes are lost: nothing is allocated, which matters
 * to workers that pack gigabytes.
 */
export function packSliceInPlace(slice: Uint8Array, blockSize: number = BLOCK_BYTES): PackedSlice {
  const { bitmap, blocks } = survey(slice, blockSize);
  const length = segmentBytes(bitmap, blockSize, slice.length);
  let at = 0;
  for (const [first, end] of length === slice.length ? [] : blockRuns(bitmap, blocks)) {
    const stop = Math.min(end * blockSize, slice.length);
    slice.copyWithin(at, first * blockSize, stop);
    at += stop - first * blockSize;
  }
  const segment = slice.subarray(0, length);
  return { bitmap, segment, crc32: length === 0 ? 0 : crc32(segment) };
}

function gather(slice: Uint8Array, bitmap: Uint8Array, blockSize: number, blocks: number): Uint8Array {
  const length = segmentBytes(bitmap, blockSize, slice.length);
  if (length === slice.length) return slice;
  const segment = uninitialized(length);
  let at = 0;
  for (const [first, end] of blockRuns(bitmap, blocks)) {
    const run = slice.subarray(first * blockSize, end * blockSize);
    segment.set(run, at);
    at += run.length;
  }
  return segment;
}

/**
 * The guest bytes of a slice out of its segment.
 * @param length guest bytes of the slice
 * @throws Corrupt when the segment has not the length its bitmap says
 */
export function unpackSlice(
  bitmap: Uint8Array,
  segment: Uint8Array,
  length: number,
  blockSize: number = BLOCK_BYTES,
): Uint8Array {
  const expected = segmentBytes(bitmap, blockSize, length);
  if (segment.length !== expected) {
    throw new Corrupt(`sparse segment: ${segment.length} bytes, its bitmap says ${expected}`);
  }
  if (expected === length) return segment;
  const slice = new Uint8Array(length);
  let at = 0;
  for (const [first, end] of blockRuns(bitmap, blockCount({ blockSize }, length))) {
    const target = slice.subarray(first * blockSize, end * blockSize);
    target.set(segment.subarray(at, at + target.length));
    at += target.length;
  }
  return slice;
}

/** A slice out of a stream, with its place. */
export interface StreamedSlice extends PackedSlice {
  readonly index: number;
  /** Guest bytes of the slice. */
  readonly length: number;
}

/**
 * Packs a stream of guest bytes in any chunking, for uploads of unknown length: zero blocks are dropped as they pass, so
 * memory is one slice at most. Every byte is copied once. A finished slice belongs to the caller.
 */
export class SparsePacker {
  readonly #geometry: Pick<Geometry, 'sliceSize' | 'blockSize'>;
  /** Segment under construction; the block being filled is at `#segmentLength`. */
  #segment: Uint8Array | undefined;
  #segmentLength = 0;
  /** Guest bytes of the current slice that have arrived. */
  #filled = 0;
  /** Of these, bytes of the current block that are copied into the segment but not judged yet. */
  #pending = 0;
  #bitmap = new Uint8Array(BITMAP_BYTES);
  #index = 0;
  #taken = 0;

  constructor(
    geometry: Pick<Geometry, 'sliceSize' | 'blockSize'> = { sliceSize: SLICE_BYTES, blockSize: BLOCK_BYTES },
  ) {
    this.#geometry = geometry;
  }

  /** Guest bytes taken so far. */
  get virtualSize(): number {
    return this.#taken;
  }

  /** Takes bytes; yields the slices that they complete. Must be iterated to its end. */
  *push(bytes: Uint8Array): Generator<StreamedSlice> {
    const { sliceSize, blockSize } = this.#geometry;
    this.#taken += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      const chunk = bytes.subarray(at, at + Math.min(blockSize - this.#pending, bytes.length - at));
      at += chunk.length;
      this.#take(chunk);
      if (this.#filled === sliceSize) yield this.#finishSlice();
    }
  }

  /** Yields the last slice when it is not whole. The packer is at its end then. */
  *finish(): Generator<StreamedSlice> {
    if (this.#filled > 0) yield this.#finishSlice();
  }

  /** Bytes within one block. A whole block is judged where it lies; parts are gathered in the segment first. */
  #take(chunk: Uint8Array): void {
    const { blockSize } = this.#geometry;
    const whole = chunk.length === blockSize;
    this.#filled += chunk.length;
    if (whole && isZero(chunk)) return;
    this.#room().set(chunk, this.#segmentLength + this.#pending);
    this.#pending += chunk.length;
    if (whole) this.#keepBlock();
    else if (this.#pending === blockSize) this.#judgeBlock();
  }

  #room(): Uint8Array {
    this.#segment ??= uninitialized(this.#geometry.sliceSize);
    return this.#segment;
  }

  #judgeBlock(): void {
    if (isZero(this.#room().subarray(this.#segmentLength, this.#segmentLength + this.#pending))) this.#pending = 0;
    else this.#keepBlock();
  }

  #keepBlock(): void {
    setBlock(this.#bitmap, Math.ceil(this.#filled / this.#geometry.blockSize) - 1);
    this.#segmentLength += this.#pending;
    this.#pending = 0;
  }

  #finishSlice(): StreamedSlice {
    if (this.#pending > 0) this.#judgeBlock();
    const segment = this.#segmentLength === 0 ? new Uint8Array(0) : this.#room().subarray(0, this.#segmentLength);
    const slice = {
      index: this.#index,
      length: this.#filled,
      bitmap: this.#bitmap,
      segment,
      crc32: segment.length === 0 ? 0 : crc32(segment),
    };
    this.#segment = undefined;
    this.#segmentLength = 0;
    this.#filled = 0;
    this.#bitmap = new Uint8Array(BITMAP_BYTES);
    this.#index += 1;
    return slice;
  }
}
