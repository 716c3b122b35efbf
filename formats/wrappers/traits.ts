import type { FormatTraits } from '../engine/traits.ts';

/** RFC 1952; kernels and ramdisks come compressed too. */
export const GZIP = {
  format: 'gzip',
  wrapper: true,
  opaque: true,
  neverDisk: true,
  satisfies: ['aki', 'ari'],
} as const satisfies FormatTraits;

/** .xz streams, likewise. */
export const XZ = {
  format: 'xz',
  wrapper: true,
  opaque: true,
  neverDisk: true,
  satisfies: ['aki', 'ari'],
} as const satisfies FormatTraits;

/** RFC 8878, likewise. */
export const ZSTD = {
  format: 'zstd',
  wrapper: true,
  opaque: true,
  neverDisk: true,
  satisfies: ['aki', 'ari'],
} as const satisfies FormatTraits;

/** bzip2, likewise. */
export const BZIP2 = {
  format: 'bzip2',
  wrapper: true,
  opaque: true,
  neverDisk: true,
  satisfies: ['aki', 'ari'],
} as const satisfies FormatTraits;

/** ZIP archive. */
export const ZIP = { format: 'zip', wrapper: true, opaque: true, neverDisk: true } as const satisfies FormatTraits;
