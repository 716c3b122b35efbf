import type { DiskImage, Extent } from '../engine/image.ts';
import { writerOf } from '../writers.ts';
import type { ConversionPlan } from './plan.ts';

/**
 * What the slices of a plan read. Where the guest's bytes stand at their own offsets, the whole file is read like a disk: the
 * guest's bytes, the zeros that pad them, and what stands behind. Otherwise the image itself.
 */
export function renderedImage(image: DiskImage, plan: ConversionPlan): DiskImage {
  const { tables, trailer } = writerOf(plan.target);
  if (tables !== undefined) return image;
  const behind = trailer?.(plan) ?? new Uint8Array(0);
  if (plan.outputSize === image.virtualSize && behind.length === 0) return image;
  return framed(image, plan.outputSize, behind);
}

/** The image with zeros up to `size`, and `behind` from there on. */
function framed(image: DiskImage, size: number, behind: Uint8Array): DiskImage {
  const end = image.virtualSize;
  const whole = size + behind.length;
  /** The extent of [from, to) within what is asked for, if any of it is. */
  function* part(from: number, to: number, of: Pick<Extent, 'allocated' | 'zero'>): Generator<Extent> {
    if (from < to) yield { start: from, length: to - from, ...of, compressed: false };
  }
  return {
    format: image.format,
    virtualSize: whole,
    blockSize: image.blockSize,
    async *extents(from, to) {
      if (from < end) yield* image.extents(from, Math.min(to, end));
      yield* part(Math.max(from, end), Math.min(to, size), { allocated: false, zero: true });
      yield* part(Math.max(from, size), Math.min(to, whole), { allocated: true, zero: false });
    },
    async readInto(offset, target, targetIsZero) {
      const disk = Math.min(target.length, Math.max(0, end - offset));
      if (disk > 0) await image.readInto(offset, target.subarray(0, disk), targetIsZero);
      target.fill(0, disk);
      const [from, to] = [Math.max(offset, size), offset + target.length];
      if (from < to) target.set(behind.subarray(from - size, to - size), from - offset);
    },
  };
}
