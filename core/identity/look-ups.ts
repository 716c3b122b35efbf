import type { Clock } from '../clock.ts';
import { TooManyRequests } from '../errors.ts';
import { BoundedCache } from './bounded-cache.ts';

/** Questions that one project may ask of other services at once, and how soon one more is free: of each process. */
const BURST = 60;
const REFILL_MS = 1_000;
/** Of those without an answer, what one process lets through in a minute is what all of them let through together. */
const WINDOW_SECONDS = 60;
const FAILED_PER_WINDOW = BURST + (WINDOW_SECONDS * 1_000) / REFILL_MS;
/** Projects that are remembered; a forgotten one has all of its questions of this process again. */
const PROJECTS = 10_000;

/** Counts that all processes share. A key names its window of time, so that an old one is never asked for. */
export interface LookUpCounts {
  of(key: string): Promise<number>;
  /** Adds one; false, and nothing is added, where there are `most` already. The count goes by itself some time after `expiresAtSeconds`. */
  add(key: string, most: number, expiresAtSeconds: number): Promise<boolean>;
}

/**
 * Questions to other services (an identity service, a key manager) by an id that a user wrote: each costs somebody else's time, and
 * answers are worth guessing for, so each project has so many. Who puts such a question spends one first.
 */
export interface LookUps {
  /** @param project of the caller; null counts as one of its own @throws TooManyRequests when it has none left, here or in all processes together */
  spend(project: string | null): Promise<void>;
  /**
   * Counts a question that was not answered well, or of which nobody knows, for all processes.
   * @throws TooManyRequests when others used up what was left: the caller does not learn what came of this one
   */
  fail(project: string | null): Promise<void>;
  /** Takes a question back that was answered well, where only those count that are not. */
  giveBack(project: string | null): void;
}

/** A token bucket per project in each process, and behind it a count of what failed that all processes share. */
export function createLookUps(clock: Clock, counts: LookUpCounts): LookUps {
  /** When a project's bucket will be full again. Milliseconds. */
  const fullAt = new BoundedCache<string | null, number>(PROJECTS);
  /** The last window in which all processes together had let through all. */
  const spentIn = new BoundedCache<string | null, number>(PROJECTS);
  const windowNow = () => Math.floor(clock.now() / 1000 / WINDOW_SECONDS);
  const keyOf = (window: number, project: string | null) => `${window}#${project ?? ''}`;
  const refuse = (project: string | null, window: number): never => {
    spentIn.set(project, window);
    throw tooMany((window + 1) * WINDOW_SECONDS * 1000 - clock.now());
  };
  return {
    async spend(project) {
      const now = clock.now();
      const next = Math.max(now, fullAt.get(project) ?? 0) + REFILL_MS;
      const missingMs = next - now - BURST * REFILL_MS;
      if (missingMs > 0) throw tooMany(missingMs);
      const window = windowNow();
      if (spentIn.get(project) === window) refuse(project, window);
      fullAt.set(project, next);
      if ((await counts.of(keyOf(window, project))) >= FAILED_PER_WINDOW) refuse(project, window);
    },
    async fail(project) {
      const window = windowNow();
      const isAdded = await counts.add(keyOf(window, project), FAILED_PER_WINDOW, (window + 2) * WINDOW_SECONDS);
      if (!isAdded) refuse(project, window);
    },
    giveBack(project) {
      const at = fullAt.get(project);
      if (at !== undefined) fullAt.set(project, at - REFILL_MS);
    },
  };
}

function tooMany(missingMs: number): TooManyRequests {
  const seconds = Math.ceil(missingMs / 1000);
  return new TooManyRequests(`Too many ids to look up for this project; try again in ${seconds} s.`, seconds);
}

/** Of a verb that looks up what a user names. */
export interface WithLookUps {
  readonly lookUps: LookUps;
}
