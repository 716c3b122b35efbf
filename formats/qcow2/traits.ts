import type { FormatTraits } from '../engine/traits.ts';

/** QEMU's copy-on-write disk. */
export const QCOW2 = {
  format: 'qcow2',
  glance: { disk: 'qcow2' },
  disk: true,
  convertible: true,
  extensions: ['qcow2'],
} as const satisfies FormatTraits;
