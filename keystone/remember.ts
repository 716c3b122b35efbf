import type { Clock } from '../core/clock.ts';
import { BoundedCache } from '../core/identity/bounded-cache.ts';

const REMEMBERED = 10_000;

/**
 * Asks once per key in `forMs` milliseconds: those who ask together share the answer, a failure is not remembered, and 0 asks
 * every time.
 */
export function remember<V>(
  clock: Clock,
  forMs: number,
  ask: (key: string) => Promise<V>,
): (key: string) => Promise<V> {
  const known = new BoundedCache<string, { readonly untilMs: number; readonly answer: Promise<V> }>(REMEMBERED);
  return (key) => {
    const now = clock.now();
    const last = known.get(key);
    if (last !== undefined && now < last.untilMs) return last.answer;
    const answer = ask(key);
    if (forMs === 0) return answer;
    const entry = { untilMs: now + forMs, answer };
    known.set(key, entry);
    answer.catch(() => {
      if (known.get(key) === entry) known.delete(key);
    });
    return answer;
  };
}
