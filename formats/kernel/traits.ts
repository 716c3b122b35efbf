import type { FormatTraits } from '../engine/traits.ts';

/** Amazon kernel image. */
export const AKI = {
  format: 'aki',
  glance: { disk: 'aki' },
  kept: true,
  bare: true,
  neverDisk: true,
  satisfies: ['raw', 'ami', 'ari'],
} as const satisfies FormatTraits;

/** Amazon ramdisk image. */
export const ARI = {
  format: 'ari',
  glance: { disk: 'ari' },
  kept: true,
  bare: true,
  neverDisk: true,
  satisfies: ['raw', 'ami', 'aki'],
} as const satisfies FormatTraits;
