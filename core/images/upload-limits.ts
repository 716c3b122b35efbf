import type { WithConfig } from '../config.ts';
import { LimitExceeded } from '../errors.ts';
import { overStorageQuota, storageLeft } from '../quota/bytes.ts';
import type { WithImageList } from './repository.ts';

export type UploadKind = 'file' | 'stage';

/** The unified limit that the bytes of an upload count against. */
export const BYTES_LIMIT = { file: 'image_size_total', stage: 'image_stage_total' } as const;

/**
 * The bytes an upload to `project` may have (contract: quotas-and-limits.md). An upload whose size is not declared is cut there.
 * @throws LimitExceeded when the declared size is above it already
 */
export async function uploadLimit(
  deps: WithConfig & WithImageList,
  kind: UploadKind,
  project: string | null,
  declaredSize: number | undefined,
): Promise<number> {
  const cap = deps.config.image_size_cap;
  if ((declaredSize ?? 0) > cap) {
    throw new LimitExceeded(`Image of ${declaredSize} bytes is above image_size_cap of ${cap} bytes`);
  }
  const left = kind === 'stage' ? undefined : await storageLeft(deps, project);
  if (left === undefined) return cap;
  if ((declaredSize ?? 0) > left || (left === 0 && declaredSize !== 0)) {
    throw overStorageQuota(deps, declaredSize, left);
  }
  return Math.min(cap, left);
}
