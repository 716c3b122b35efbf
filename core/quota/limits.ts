/**
 * Limits per project (contract: quotas-and-limits.md section 2): reserve, write, reconcile. A counter goes up by a conditional
 * write before the record is made and down when that fails or the image goes; a process that dies in between leaves the
 * counter too high, and the janitor's recount repairs that once nothing has been reserved for a minute.
 */

import type { WithClock } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import { LimitExceeded } from '../errors.ts';
import type { WithLimits } from './limited-resources.ts';
import type { WithUsage, WithUsageCount } from './usage.ts';

type LimitDeps = WithConfig & WithClock & WithUsage & WithUsageCount;

/** Longer than any request that has reserved something can still be on its way to write it. */
const QUIET_MS = 60_000;

export interface Reservation {
  /** Gives the reserved amount back: what it was for did not happen. */
  release(): Promise<void>;
}
const NOTHING: Reservation = { release: async () => {} };

/** Counts one more image of a project, when limits are on. @throws LimitExceeded */
export async function reserveImage(deps: LimitDeps & WithLimits, owner: string | null): Promise<Reservation> {
  if (!deps.config.use_keystone_limits || owner === null) return NOTHING;
  const { image_count_total: limit } = await deps.limits.of(owner);
  const upTo = limit < 0 ? Number.MAX_SAFE_INTEGER : limit;
  let counted = await deps.usage.add(owner, 1, upTo);
  if (counted === 'unknown') {
    await recount(deps, owner);
    counted = await deps.usage.add(owner, 1, upTo);
  }
  if (counted !== 'added') throw overLimit(owner, 'image_count_total', limit, await deps.usage.count(owner), 1);
  return { release: () => releaseImage(deps, owner) };
}

/** Counts one image less. */
export async function releaseImage(deps: WithConfig & WithUsage, owner: string | null): Promise<void> {
  if (deps.config.use_keystone_limits && owner !== null) await deps.usage.add(owner, -1, undefined);
}

/** Sets a project's counter to what its records say, unless something was reserved or released lately. */
async function recount(deps: LimitDeps, owner: string): Promise<void> {
  const { images } = await deps.imageList.usageOf(owner);
  await deps.usage.reset(owner, images, deps.clock.now() - QUIET_MS);
}

/** The janitor's part: every counter is compared with its project's records. Does nothing while limits are off. */
export async function recountAll(deps: LimitDeps): Promise<void> {
  if (!deps.config.use_keystone_limits) return;
  for (const project of await deps.usage.projects()) await recount(deps, project);
}

/** The sentence of the original, limit, usage and request named. */
export function overLimit(
  project: string,
  resource: string,
  limit: number,
  usage: number,
  delta: number,
): LimitExceeded {
  return new LimitExceeded(
    `The request returned a 413 Request Entity Too Large. This generally means that rate limits or a quota threshold was breached. Project ${project} is over a limit for [Resource ${resource} is over limit of ${limit} due to current usage ${usage} and delta ${delta}]`,
  );
}
