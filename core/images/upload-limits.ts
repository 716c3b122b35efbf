import type { Config } from '../config.ts';
import { LimitExceeded } from '../errors.ts';
import type { Deps } from '../ports.ts';
import { overLimit } from '../quota/limits.ts';

export type UploadKind = 'file' | 'stage';

type LimitDeps = Pick<Deps, 'config' | 'imageList'>;

const MIB = 1024 * 1024;
const UNITS: Readonly<Record<string, number>> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 };

/** Bytes of a `user_storage_quota` (`10GB`, powers of 1024); 0 means unlimited. */
export function storageQuotaBytes(quota: string): number {
  const [, digits, unit] = /^(\d+)([A-Z]+)?$/.exec(quota) ?? [];
  return Number(digits ?? 0) * (UNITS[unit ?? 'B'] ?? 1);
}

/**
 * The bytes an upload to `project` may have (contract: quotas-and-limits.md). An upload whose size is not declared is cut there.
 * @throws LimitExceeded when the declared size is above it already
 */
export async function uploadLimit(
  deps: LimitDeps,
  kind: UploadKind,
  project: string | null,
  declaredSize: number | undefined,
): Promise<number> {
  const cap = deps.config.image_size_cap;
  if ((declaredSize ?? 0) > cap) {
    throw new LimitExceeded(`Image of ${declaredSize} bytes is above image_size_cap of ${cap} bytes`);
  }
  const quota = deps.config.use_keystone_limits ? 0 : storageQuotaBytes(deps.config.user_storage_quota);
  if (quota === 0 || project === null || kind === 'stage') return cap;
  const { storedBytes } = await deps.imageList.usageOf(project);
  const left = Math.max(0, quota - storedBytes);
  if ((declaredSize ?? 0) > left || left === 0) {
    throw new LimitExceeded(
      `Image of ${declaredSize ?? 'unknown'} bytes is above what user_storage_quota leaves: ${left} of ${quota} bytes`,
    );
  }
  return Math.min(cap, left);
}

/**
 * The unified limit on bytes that an upload counts against: `image_size_total` for a file, `image_stage_total` for a stage.
 * @throws LimitExceeded
 */
export async function enforceTotal(
  deps: LimitDeps,
  kind: UploadKind,
  project: string | null,
  declaredSize: number | undefined,
): Promise<void> {
  if (!deps.config.use_keystone_limits || project === null) return;
  const usage = await deps.imageList.usageOf(project);
  const used = kind === 'file' ? usage.storedBytes : usage.stagedBytes;
  const resource = kind === 'file' ? 'image_size_total' : 'image_stage_total';
  refuse(deps.config, project, resource, Math.ceil(used / MIB), Math.ceil((declaredSize ?? 0) / MIB));
}

/** The unified limit on images being uploaded; the image in question counts already. @throws LimitExceeded */
export async function enforceUploading(deps: LimitDeps, project: string | null): Promise<void> {
  if (!deps.config.use_keystone_limits || project === null) return;
  const { uploading } = await deps.imageList.usageOf(project);
  refuse(deps.config, project, 'image_count_uploading', uploading, 0);
}

function refuse(
  config: Config,
  project: string,
  resource: keyof Config['registered_limits'],
  usage: number,
  delta: number,
): void {
  const limit = config.registered_limits[resource];
  if (usage + delta > limit) throw overLimit(project, resource, limit, usage, delta);
}
