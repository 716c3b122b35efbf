import type { FormatTraits } from '../engine/traits.ts';

/** Encrypted volume. */
export const LUKS = {
  format: 'luks',
  glance: { disk: 'luks' },
  kept: true,
  opaque: true,
  satisfies: ['raw'],
  keepsName: true,
} as const satisfies FormatTraits;
