import type { FormatTraits } from '../engine/traits.ts';

/** ISO 9660 volume: read as a medium, whatever partition table it carries too. */
export const ISO = {
  format: 'iso',
  glance: { disk: 'iso' },
  kept: true,
  neverDisk: true,
  extensions: ['iso'],
} as const satisfies FormatTraits;
