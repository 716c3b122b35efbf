const MIB = 1024 * 1024;

/** Most parts of one multipart upload (S3 limits). */
export const MAX_PARTS = 10_000;
/** Large enough to amortise a request, small enough that many uploads share the buffer budget. */
const BASE_PART = 8 * MIB;

/**
 * Bytes of part `n` (from 0) of an upload. When the total is known, one size that fits 10,000 parts. When it is not, 8 MiB for the
 * first 2,000 parts, then growing: 2,000 parts each of 16, 32, 64 and 512 MiB, which passes `image_size_cap`'s default of 1 TiB.
 * (An upload needs 234 GiB before a part is larger than 64 MiB.)
 */
export function partSize(n: number, totalBytes?: number): number {
  if (totalBytes !== undefined) return Math.max(BASE_PART, Math.ceil(totalBytes / MAX_PARTS / MIB) * MIB);
  const step = Math.floor(n / 2_000);
  return step < 4 ? BASE_PART * 2 ** step : 512 * MIB;
}
