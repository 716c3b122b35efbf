import type { Clock } from '../clock.ts';
import { TooManyRequests } from '../errors.ts';
import { BoundedCache } from './bounded-cache.ts';

/** Questions that one project may ask of other services at once, and how soon one more is free. */
const BURST = 60;
const REFILL_MS = 1_000;
/** Projects that are remembered; a forgotten one has all of its questions again. */
const PROJECTS = 10_000;

/**
 * Questions to other services (an identity service, a key manager) by an id that a user wrote: each costs somebody else's time, so each
 * project has so many. Who puts such a question spends one first.
 */
export interface LookUps {
  /** @param project of the caller; null counts as one of its own @throws TooManyRequests when it has none left */
  spend(project: string | null): void;
  /** Takes a question back that was answered well, where only those count that are not. */
  giveBack(project: string | null): void;
}

/** A token bucket per project; each process has its own. */
export function createLookUps(clock: Clock): LookUps {
  /** When a project's bucket will be full again. Milliseconds. */
  const fullAt = new BoundedCache<string | null, number>(PROJECTS);
  return {
    spend(project) {
      const now = clock.now();
      const next = Math.max(now, fullAt.get(project) ?? 0) + REFILL_MS;
      const missingMs = next - now - BURST * REFILL_MS;
      if (missingMs > 0) {
        const seconds = Math.ceil(missingMs / 1000);
        throw new TooManyRequests(`Too many ids to look up for this project; try again in ${seconds} s.`, seconds);
      }
      fullAt.set(project, next);
    },
    giveBack(project) {
      const at = fullAt.get(project);
      if (at !== undefined) fullAt.set(project, at - REFILL_MS);
    },
  };
}

/** Of a verb that looks up what a user names. */
export interface WithLookUps {
  readonly lookUps: LookUps;
}
