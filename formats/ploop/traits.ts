import type { FormatTraits } from '../engine/traits.ts';

/** Parallels' and Virtuozzo's disk. */
export const PLOOP = {
  format: 'ploop',
  glance: { disk: 'ploop' },
  disk: true,
  convertible: true,
  extensions: ['hds'],
} as const satisfies FormatTraits;
