import type { FormatTraits } from '../engine/traits.ts';

/** VirtualBox's disk. */
export const VDI = {
  format: 'vdi',
  glance: { disk: 'vdi' },
  disk: true,
  convertible: true,
  extensions: ['vdi'],
} as const satisfies FormatTraits;
