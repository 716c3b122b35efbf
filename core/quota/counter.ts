/**
 * The counter of what a project's images take (contract: quotas-and-limits.md section 2). What grows is added by one conditional
 * write before the record says so, what shrinks is taken off after: the counter may be too high for a moment and is never too low,
 * so that limits hold for all processes together. A process that dies in between leaves it too high; the janitor counts the
 * records anew once nothing was added for a minute.
 */

import type { WithClock } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import { ceilingsOf, isCounted, limitReached, overrun } from './ceilings.ts';
import type { WithLimits } from './limited-resources.ts';
import {
  type CountedUsage,
  isNothing,
  NO_USAGE,
  type ProjectUsage,
  type WithUsage,
  type WithUsageCount,
} from './usage.ts';

export type CounterDeps = WithConfig & WithClock & WithUsage & WithUsageCount & WithLimits;

/** Longer than anything that was added can still be on its way into a record. */
const QUIET_MS = 60_000;
/** How often records are counted where nothing was added: they may have changed while limits were off. */
const RECOUNT_MS = 24 * 3_600_000;

/** Counts what a project is about to take, if it may have it. @throws LimitExceeded, and as LimitsPort; nothing is counted then */
export async function reserve(deps: CounterDeps, project: string | null, growth: ProjectUsage): Promise<void> {
  if (project === null || !isCounted(deps.config) || isNothing(growth)) return;
  const ceilings = await ceilingsOf(deps, project);
  let outcome = await deps.usage.add(project, growth, ceilings);
  if (outcome === 'unknown') {
    await recount(deps, project);
    outcome = await deps.usage.add(project, growth, ceilings);
  }
  if (outcome === 'added') return;
  const usage = (await deps.usage.of(project))?.usage ?? NO_USAGE;
  // Somebody may have given back since: the first that can have been in the way.
  const full = overrun(ceilings, usage, growth) ?? overrun(ceilings, ceilings as ProjectUsage, growth) ?? 'images';
  throw limitReached(deps, project, full, { ceiling: ceilings[full] ?? 0, usage: usage[full], growth: growth[full] });
}

/** Counts what happened already, whatever the limits. A project without a counter is counted when it first reserves something. */
export async function count(deps: WithConfig & WithUsage, project: string | null, amount: ProjectUsage): Promise<void> {
  if (project !== null && isCounted(deps.config) && !isNothing(amount)) await deps.usage.add(project, amount);
}

/** What a project takes at present, reservations included. */
export async function usageNow(deps: CounterDeps, project: string): Promise<ProjectUsage> {
  const known = await deps.usage.of(project);
  if (known !== undefined) return known.usage;
  await recount(deps, project);
  return (await deps.usage.of(project))?.usage ?? NO_USAGE;
}

/** Sets a project's counter to what its records say, unless something was added lately. */
async function recount(deps: CounterDeps, project: string): Promise<void> {
  const usage = await deps.imageList.usageOf(project);
  await deps.usage.reset(project, usage, deps.clock.now() - QUIET_MS);
}

/** The janitor's part: counters that may differ from their project's records are set to them. Does nothing while limits are off. */
export async function recountAll(deps: CounterDeps): Promise<void> {
  if (!isCounted(deps.config)) return;
  for (const project of await deps.usage.projects()) {
    const known = await deps.usage.of(project);
    if (known === undefined || isDue(known, deps.clock.now())) await recount(deps, project);
  }
}

function isDue({ countedAtMs, touchedAtMs, isTouched }: CountedUsage, nowMs: number): boolean {
  const isQuiet = touchedAtMs < nowMs - QUIET_MS;
  return isQuiet && (isTouched || countedAtMs < nowMs - RECOUNT_MS);
}
