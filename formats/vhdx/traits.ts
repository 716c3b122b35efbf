import type { FormatTraits } from '../engine/traits.ts';

/** Hyper-V's disk. */
export const VHDX = {
  format: 'vhdx',
  glance: { disk: 'vhdx' },
  disk: true,
  convertible: true,
  extensions: ['vhdx'],
} as const satisfies FormatTraits;
