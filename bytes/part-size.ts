const MIB = 1024 * 1024;

/** Most parts of one multipart upload (S3 limits). */
export const MAX_PARTS = 10_000;
/** That of a sparse slice, so that all uploads use buffers of one size again and again. */
const BASE_PART = 16 * MIB;
const LARGEST_PART = 512 * MIB;

/**
 * Bytes of part `n` (from 0) of an upload. When the total is known, one size that fits 10,000 parts. When it is not, 16 MiB for the
 * first 2,000 parts, then 2,000 each of 32, 64, 128 and 512 MiB, which passes 1 TiB, the default of `image_size_cap`. (An upload has
 * 93 GiB behind it before a part is larger than 32 MiB.)
 */
export function partSize(n: number, totalBytes?: number): number {
  if (totalBytes !== undefined) return Math.max(BASE_PART, Math.ceil(totalBytes / MAX_PARTS / MIB) * MIB);
  const step = Math.floor(n / 2_000);
  return step < 4 ? BASE_PART * 2 ** step : LARGEST_PART;
}
