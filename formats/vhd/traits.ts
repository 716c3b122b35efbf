import type { FormatTraits } from '../engine/traits.ts';

/** Virtual PC's and Hyper-V's older disk. */
export const VHD = {
  format: 'vhd',
  glance: { disk: 'vhd' },
  disk: true,
  convertible: true,
  extensions: ['vhd', 'vpc'],
} as const satisfies FormatTraits;
