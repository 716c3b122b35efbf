import type { FormatTraits } from '../engine/traits.ts';

/** ISO 9660 volume: read as a medium, whatever partition table it carries too. As a disk it is its own bytes. */
export const ISO = {
  format: 'iso',
  glance: { disk: 'iso' },
  convertible: true,
  kept: true,
  neverDisk: true,
  extensions: ['iso'],
} as const satisfies FormatTraits;
