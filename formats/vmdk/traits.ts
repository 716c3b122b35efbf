import type { FormatTraits } from '../engine/traits.ts';

/** VMware's disk. */
export const VMDK = {
  format: 'vmdk',
  glance: { disk: 'vmdk' },
  disk: true,
  convertible: true,
  extensions: ['vmdk'],
} as const satisfies FormatTraits;
