/** Configured limits as ceilings of what is counted, and what is said when one is reached. */

import type { WithConfig } from '../config.ts';
import { LimitExceeded } from '../errors.ts';
import type { LimitedResource, WithLimits } from './limited-resources.ts';
import { type Ceilings, type ProjectUsage, RESOURCES, type WithUsage } from './usage.ts';

const MIB = 1024 * 1024;
const UNITS: Readonly<Record<string, number>> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 };

/** Bytes of a `user_storage_quota` (`10GB`, powers of 1024); 0 means unlimited. */
export function storageQuotaBytes(quota: string): number {
  const [, digits, unit] = /^(\d+)([A-Z]+)?$/.exec(quota) ?? [];
  return Number(digits ?? 0) * (UNITS[unit ?? 'B'] ?? 1);
}

/** Whether anything limits what projects take: only then it is counted. */
export const isCounted = ({ use_keystone_limits, user_storage_quota }: WithConfig['config']): boolean =>
  use_keystone_limits || storageQuotaBytes(user_storage_quota) > 0;

/** The unified limit on each resource, and what one of its units is. */
const UNIFIED = {
  storedBytes: { limit: 'image_size_total', unit: MIB },
  stagedBytes: { limit: 'image_stage_total', unit: MIB },
  images: { limit: 'image_count_total', unit: 1 },
  uploading: { limit: 'image_count_uploading', unit: 1 },
} as const satisfies Record<keyof ProjectUsage, { limit: LimitedResource; unit: number }>;

/** What a project may have: by its unified limits when they are on, else by `user_storage_quota`. @throws as LimitsPort */
export async function ceilingsOf(
  { config, limits, usage }: WithConfig & WithLimits & WithUsage,
  project: string,
): Promise<Ceilings> {
  if (!config.use_keystone_limits) {
    const storedBytes = storageQuotaBytes(config.user_storage_quota);
    return storedBytes === 0 ? {} : { storedBytes };
  }
  const asked = await limits.of(project);
  // Whoever began the work could ask, and what it was told is kept with the counter.
  if (asked === undefined) return (await usage.of(project))?.ceilings ?? {};
  const limited = RESOURCES.map((key) => [key, asked[UNIFIED[key].limit] * UNIFIED[key].unit] as const);
  return Object.fromEntries(limited.filter(([, ceiling]) => ceiling >= 0));
}

/** The resource that `growth` would take above its ceiling, on top of `usage`; undefined: all of it fits. */
export const overrun = (
  ceilings: Ceilings,
  usage: ProjectUsage,
  growth: ProjectUsage,
): keyof ProjectUsage | undefined =>
  RESOURCES.find((key) => growth[key] > 0 && usage[key] + growth[key] > (ceilings[key] ?? Number.POSITIVE_INFINITY));

/** In the sentence of the original, limit, usage and request named; or what is left of `user_storage_quota`. */
export function limitReached(
  { config }: WithConfig,
  project: string,
  resource: keyof ProjectUsage,
  asked: { readonly ceiling: number; readonly usage: number; readonly growth: number },
): LimitExceeded {
  const { ceiling, usage, growth } = asked;
  if (!config.use_keystone_limits) return overStorageQuota(growth, Math.max(0, ceiling - usage), ceiling);
  const { limit, unit } = UNIFIED[resource];
  const inUnits = (amount: number) => Math.ceil(amount / unit);
  return new LimitExceeded(
    `The request returned a 413 Request Entity Too Large. This generally means that rate limits or a quota threshold was breached. Project ${project} is over a limit for [Resource ${limit} is over limit of ${inUnits(ceiling)} due to current usage ${inUnits(usage)} and delta ${inUnits(growth)}]`,
  );
}

/** @param bytes undefined: not known yet */
export function overStorageQuota(bytes: number | undefined, left: number, quota: number): LimitExceeded {
  return new LimitExceeded(
    `Image of ${bytes ?? 'unknown'} bytes is above what user_storage_quota leaves: ${left} of ${quota} bytes`,
  );
}
