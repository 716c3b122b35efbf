import type { RangedRead, ReadOptions, Store } from './store.ts';

/** Bytes of one request: long enough to amortise it, short enough that a broken one costs little. */
const WINDOW = 64 * 1024 * 1024;

/** Bytes [start, end) of one object, in batches of chunks; the request of the next window is under way before this one ends. */
export async function* plainBatches(
  store: Store,
  key: string,
  start: number,
  end: number,
  options: ReadOptions,
): AsyncGenerator<readonly Uint8Array[], void, undefined> {
  const open = (at: number): RangedRead | undefined =>
    at < end ? store.readRange(key, at, Math.min(end, at + WINDOW), options) : undefined;
  let next = open(start);
  try {
    for (let at = start; next !== undefined; at += WINDOW) {
      const current = next;
      next = open(at + WINDOW);
      yield* current;
    }
  } finally {
    next?.cancel();
  }
}
