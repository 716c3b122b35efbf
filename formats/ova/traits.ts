import type { FormatTraits } from '../engine/traits.ts';

/** Appliance with one disk, which is read in place. */
export const OVA = {
  format: 'ova',
  glance: { container: 'ova', holds: 'vmdk' },
  disk: true,
  convertible: true,
  kept: true,
  neverDisk: true,
} as const satisfies FormatTraits;
