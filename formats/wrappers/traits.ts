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

/** Compressions that no import takes off; kernels and ramdisks come in them too. */
const PACKED = { opaque: true, neverDisk: true, satisfies: ['aki', 'ari'] } as const;
/** .lzma, what LZMA Utils wrote before .xz. */
export const LZMA = { format: 'lzma', ...PACKED } as const satisfies FormatTraits;
/** LZ4 frames, the legacy frame of Linux kernels among them. */
export const LZ4 = { format: 'lz4', ...PACKED } as const satisfies FormatTraits;
/** lzop files. */
export const LZOP = { format: 'lzop', ...PACKED } as const satisfies FormatTraits;
/** lzip members. */
export const LZIP = { format: 'lzip', ...PACKED } as const satisfies FormatTraits;
/** compress(1), `.Z`. */
export const COMPRESS = { format: 'compress', ...PACKED } as const satisfies FormatTraits;
