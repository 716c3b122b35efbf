import { isZero } from '#codecs/bytes.ts';
import type { DiskImage } from '../engine/image.ts';
import { type ConversionPlan, sliceRange } from './plan.ts';

/**
 * The guest bytes of slice `index`: exactly what stands at `index * plan.sliceSize` in the raw image. Any worker may
 * render any slice, in any order.
 * @returns the bytes (the last slice is shorter), or null when they are all zero; holes are not read
 * @throws RangeError for a slice that is not in the plan; what reading the image throws
 */
export async function renderRawSlice(
  image: DiskImage,
  plan: ConversionPlan,
  index: number,
): Promise<Uint8Array | null> {
  const { start, length } = sliceRange(plan, index);
  if (!(await hasData(image, start, start + length))) return null;
  const bytes = new Uint8Array(length);
  await image.readInto(start, bytes, true);
  return isZero(bytes) ? null : bytes;
}

/** True when the tables say that some byte of the range is stored. */
export async function hasData(image: DiskImage, start: number, end: number): Promise<boolean> {
  for await (const extent of image.extents(start, end)) {
    if (!extent.zero) return true;
  }
  return false;
}
