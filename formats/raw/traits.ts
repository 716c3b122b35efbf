import type { FormatTraits } from '../engine/traits.ts';

/** Bytes of a disk. */
export const RAW = {
  format: 'raw',
  glance: { disk: 'raw' },
  disk: true,
  convertible: true,
  bare: true,
  satisfies: ['ami', 'aki', 'ari'],
  extensions: ['raw'],
} as const satisfies FormatTraits;

/** Amazon machine image: a name that an owner gives to raw bytes; it has no module, for nothing tells it from raw. */
export const AMI = {
  format: 'ami',
  glance: { disk: 'ami' },
  disk: true,
  convertible: true,
  kept: true,
  bare: true,
  satisfies: ['raw'],
} as const satisfies FormatTraits;
