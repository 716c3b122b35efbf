import { isZero } from '../bytes.ts';
import type { DiskImage } from '../image.ts';
import { type SlicedImage, sliceRange } from './plan.ts';

/**
 * The guest bytes of slice `index`: exactly what stands at `index * plan.sliceSize` in the raw image. Any worker may
 * render any slice, in any order.
 * @param memory at least a slice, reused from slice to slice; its own for every slice when absent
 * @returns the bytes (the last slice is shorter), a view of `memory`, or null when they are all zero; holes are not read
 * @throws RangeError for a slice that is not in the plan; what reading the image throws
 */
export async function renderRawSlice(
  image: DiskImage,
  plan: SlicedImage,
  index: number,
  memory?: Uint8Array,
): Promise<Uint8Array | null> {
  const { start, length } = sliceRange(plan, index);
  if (!(await hasData(image, start, start + length))) return null;
  const bytes = memory?.subarray(0, length) ?? new Uint8Array(length);
  await image.readInto(start, bytes, memory === undefined);
  return isZero(bytes) ? null : bytes;
}

/** True when the tables say that some byte of the range is stored. */
export async function hasData(image: DiskImage, start: number, end: number): Promise<boolean> {
  for await (const extent of image.extents(start, end)) {
    if (!extent.zero) return true;
  }
  return false;
}
