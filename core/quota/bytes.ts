/** Limits on what a project's images take (contract: quotas-and-limits.md): counted anew from the records at each check. */

import type { WithConfig } from '../config.ts';
import { LimitExceeded } from '../errors.ts';
import { isOver, type WithLimits } from './limited-resources.ts';
import { overLimit } from './limits.ts';
import type { ProjectUsage, WithUsageCount } from './usage.ts';

type LimitDeps = WithConfig & WithUsageCount;

const MIB = 1024 * 1024;
const UNITS: Readonly<Record<string, number>> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 };

/** Bytes of a `user_storage_quota` (`10GB`, powers of 1024); 0 means unlimited. */
export function storageQuotaBytes(quota: string): number {
  const [, digits, unit] = /^(\d+)([A-Z]+)?$/.exec(quota) ?? [];
  return Number(digits ?? 0) * (UNITS[unit ?? 'B'] ?? 1);
}

/** Bytes that `user_storage_quota` leaves a project; undefined when nothing limits it. Unified limits take its place. */
export async function storageLeft(deps: LimitDeps, project: string | null): Promise<number | undefined> {
  const quota = deps.config.use_keystone_limits ? 0 : storageQuotaBytes(deps.config.user_storage_quota);
  if (quota === 0 || project === null) return undefined;
  const { storedBytes } = await deps.imageList.usageOf(project);
  return Math.max(0, quota - storedBytes);
}

/** @param bytes what is to be stored, of all copies together. @throws LimitExceeded */
export async function enforceStorageQuota(deps: LimitDeps, project: string | null, bytes: number): Promise<void> {
  const left = await storageLeft(deps, project);
  if (left !== undefined && bytes > left) throw overStorageQuota(deps, bytes, left);
}

/** True when something limits the bytes of projects. */
export const limitsBytes = ({ config }: WithConfig): boolean =>
  config.use_keystone_limits || storageQuotaBytes(config.user_storage_quota) > 0;

/** What is stored and reserved already, this request's own included, against `user_storage_quota`. @throws LimitExceeded */
export async function checkStorageQuota(deps: LimitDeps, project: string | null, bytes: number): Promise<void> {
  const quota = deps.config.use_keystone_limits ? 0 : storageQuotaBytes(deps.config.user_storage_quota);
  if (quota === 0 || project === null) return;
  const { storedBytes } = await deps.imageList.usageOf(project);
  if (storedBytes > quota) throw overStorageQuota(deps, bytes, Math.max(0, quota - storedBytes + bytes));
}

export function overStorageQuota({ config }: WithConfig, bytes: number | undefined, left: number) {
  const quota = storageQuotaBytes(config.user_storage_quota);
  return new LimitExceeded(
    `Image of ${bytes ?? 'unknown'} bytes is above what user_storage_quota leaves: ${left} of ${quota} bytes`,
  );
}

/** What the unified limits on bytes and on work in progress count; sizes in MiB. */
const COUNTED = {
  image_size_total: (usage: ProjectUsage) => Math.ceil(usage.storedBytes / MIB),
  image_stage_total: (usage: ProjectUsage) => Math.ceil(usage.stagedBytes / MIB),
  image_count_uploading: (usage: ProjectUsage) => usage.uploading,
} as const;
export type CountedResource = keyof typeof COUNTED;

/**
 * One of the unified limits, when they are on.
 * @param bytes what comes on top; nothing when it is counted already or not known
 * @throws LimitExceeded
 */
export async function enforceLimit(
  deps: LimitDeps & WithLimits,
  resource: CountedResource,
  project: string | null,
  bytes = 0,
): Promise<void> {
  if (!deps.config.use_keystone_limits || project === null) return;
  const [counted, { [resource]: limit }] = await Promise.all([
    deps.imageList.usageOf(project),
    deps.limits.of(project),
  ]);
  const usage = COUNTED[resource](counted);
  const delta = Math.ceil(bytes / MIB);
  if (isOver(limit, usage, delta)) throw overLimit(project, resource, limit, usage, delta);
}
