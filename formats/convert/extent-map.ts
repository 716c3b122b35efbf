import { isZero } from '#codecs/bytes.ts';
import { mergeExtents } from '../engine/extents.ts';
import type { DiskImage, Extent } from '../engine/image.ts';
import { BLOCK_BYTES } from '../engine/sparse/geometry.ts';

/** Read at a time: a few cache lines of work, few reads. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * The sparse map of an image: its extents, in which stored data that is all zero in whole 64 KiB blocks (counted from the
 * start of the disk) says so. Holes are not read.
 * @throws what reading the image throws
 */
export function detectedExtents(image: DiskImage, start = 0, end: number = image.virtualSize): AsyncIterable<Extent> {
  return mergeExtents(classified(image, start, end));
}

async function* classified(image: DiskImage, start: number, end: number): AsyncIterable<Extent> {
  const scratch = new Uint8Array(Math.max(CHUNK_BYTES, image.blockSize));
  for await (const extent of image.extents(start, end)) {
    if (extent.zero) yield extent;
    else yield* withZeros(image, extent, scratch);
  }
}

async function* withZeros(image: DiskImage, extent: Extent, scratch: Uint8Array): AsyncIterable<Extent> {
  const end = extent.start + extent.length;
  for (let at = extent.start; at < end; ) {
    const length = Math.min(end - at, scratch.length - (at % scratch.length));
    const bytes = scratch.subarray(0, length);
    await image.readInto(at, bytes);
    for (let done = 0; done < length; ) {
      const part = Math.min(length - done, BLOCK_BYTES - ((at + done) % BLOCK_BYTES));
      yield { ...extent, start: at + done, length: part, zero: isZero(bytes.subarray(done, done + part)) };
      done += part;
    }
    at += length;
  }
}
