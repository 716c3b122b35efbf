import { SLICE_BYTES } from '../formats/engine/sparse/geometry.ts';
import type { PartBounds } from './store.ts';

const MIB = 1024 * 1024;

/** Why an upload of `totalBytes` cannot be cut into parts of `partBytes`; undefined when it can. */
export function partSizeProblem(partBytes: number, bounds: PartBounds, totalBytes: number): string | undefined {
  const { minPartBytes, maxPartBytes, maxParts } = bounds;
  if (partBytes < minPartBytes || partBytes > maxPartBytes)
    return `${partBytes} bytes: a part has ${minPartBytes} to ${maxPartBytes} bytes`;
  const parts = Math.ceil(totalBytes / partBytes);
  return parts > maxParts
    ? `${partBytes} bytes: ${totalBytes} bytes would be ${parts} parts, at most ${maxParts} are taken`
    : undefined;
}

/** That of a sparse slice, so that all uploads use buffers of one size again and again. */
const BASE_PART = SLICE_BYTES;
const LARGEST_PART = 512 * MIB;
/** Sizes that an upload of unknown length goes through. */
const STEPS = 5;

/**
 * Bytes of part `n` (from 0) of an upload. When the total is known, one size that fits the parts a service takes. When it is not,
 * 16 MiB for the first fifth of them, then a fifth each of 32, 64, 128 and 512 MiB: of 10,000 parts that passes 1 TiB, the default of
 * `image_size_cap`. (An upload has 93 GiB behind it before a part is larger than 32 MiB.)
 */
export function partSize(n: number, bounds: PartBounds, totalBytes?: number): number {
  return Math.min(bounds.maxPartBytes, Math.max(bounds.minPartBytes, wanted(n, bounds.maxParts, totalBytes)));
}

function wanted(n: number, maxParts: number, totalBytes: number | undefined): number {
  if (totalBytes !== undefined) return Math.max(BASE_PART, Math.ceil(totalBytes / maxParts / MIB) * MIB);
  const step = Math.floor(n / Math.ceil(maxParts / STEPS));
  return step < STEPS - 1 ? BASE_PART * 2 ** step : LARGEST_PART;
}
