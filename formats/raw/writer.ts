import type { FormatWriter } from '../engine/writer.ts';

/** Raw as a target: the guest's bytes at their own offsets. */
export const rawWriter = {
  format: 'raw',
  compressions: ['none'],
  properties: {},
  sectorSize: 1,
  blockSize: () => 1,
} as const satisfies FormatWriter;
