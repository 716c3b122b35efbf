/** Checks before work begins (contract: quotas-and-limits.md); what is begun reserves its place (counter.ts). */

import type { WithConfig } from '../config.ts';
import { ceilingsOf, isCounted, limitReached } from './ceilings.ts';
import { type CounterDeps, usageNow } from './counter.ts';
import type { ProjectUsage } from './usage.ts';

/** Bytes that a limit on stored bytes leaves a project, and the limit; undefined when `user_storage_quota` does not limit it. */
export async function storageLeft(
  deps: CounterDeps,
  project: string | null,
): Promise<{ readonly left: number; readonly quota: number } | undefined> {
  if (project === null || deps.config.use_keystone_limits || !isCounted(deps.config)) return undefined;
  const { storedBytes: quota = 0 } = await ceilingsOf(deps, project);
  const { storedBytes } = await usageNow(deps, project);
  return { left: Math.max(0, quota - storedBytes), quota };
}

/**
 * One of the unified limits, when they are on.
 * @param growth what is to come on top; 0 when it is counted already or not known
 * @throws LimitExceeded
 */
export async function enforceLimit(
  deps: CounterDeps,
  resource: keyof ProjectUsage,
  project: string | null,
  growth = 0,
): Promise<void> {
  if (project === null || !deps.config.use_keystone_limits) return;
  const [{ [resource]: ceiling }, { [resource]: usage }] = await Promise.all([
    ceilingsOf(deps, project),
    usageNow(deps, project),
  ]);
  if (ceiling !== undefined && usage + growth > ceiling)
    throw limitReached(deps, project, resource, { ceiling, usage, growth });
}

/** Limits on what is stored. @param bytes of all copies together @throws LimitExceeded */
export async function enforceStorageQuota(
  deps: CounterDeps & WithConfig,
  project: string | null,
  bytes: number,
): Promise<void> {
  const storage = await storageLeft(deps, project);
  if (project === null || storage === undefined || bytes <= storage.left) return;
  const { left, quota } = storage;
  throw limitReached(deps, project, 'storedBytes', { ceiling: quota, usage: quota - left, growth: bytes });
}
