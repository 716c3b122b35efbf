import type { FormatTraits } from '../engine/traits.ts';

/** Container image or root file system in a tar. */
export const DOCKER = {
  format: 'docker',
  glance: { container: 'docker' },
  kept: true,
  neverDisk: true,
} as const satisfies FormatTraits;
