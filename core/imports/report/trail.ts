import { stretchMs } from '../../tasks/eta.ts';
import type { BatchProgress } from '../../tasks/task.ts';

/** Remembers what was done when, as far back as a rate is taken from; each call adds a moment and answers the oldest one. */
export function trail(startedAtMs: number): (bytesDone: number, atMs: number) => NonNullable<BatchProgress['earlier']> {
  let oldest = { bytesDone: 0, atMs: startedAtMs };
  const later: (typeof oldest)[] = [];
  return (bytesDone, atMs) => {
    later.push({ bytesDone, atMs });
    const from = atMs - stretchMs(atMs - startedAtMs);
    for (let next = later[0]; next !== undefined && next.atMs <= from; next = later[0]) {
      oldest = next;
      later.shift();
    }
    return oldest;
  };
}
