import { LimitExceeded } from '../errors.ts';
import { overStorageQuota } from '../quota/ceilings.ts';
import type { CounterDeps } from '../quota/counter.ts';
import { storageLeft } from '../quota/limits.ts';

export type UploadKind = 'file' | 'stage';

/** What the bytes of an upload count as. */
export const BYTES_LIMIT = { file: 'storedBytes', stage: 'stagedBytes' } as const;

/**
 * The bytes an upload to `project` may have (contract: quotas-and-limits.md). An upload whose size is not declared is cut there.
 * @throws LimitExceeded when the declared size is above it already
 */
export async function uploadLimit(
  deps: CounterDeps,
  kind: UploadKind,
  project: string | null,
  declaredSize: number | undefined,
): Promise<number> {
  const cap = deps.config.image_size_cap;
  if ((declaredSize ?? 0) > cap) {
    throw new LimitExceeded(`Image of ${declaredSize} bytes is above image_size_cap of ${cap} bytes`);
  }
  const storage = kind === 'stage' ? undefined : await storageLeft(deps, project);
  if (storage === undefined) return cap;
  const { left, quota } = storage;
  if ((declaredSize ?? 0) > left || (left === 0 && declaredSize !== 0)) {
    throw overStorageQuota(declaredSize, left, quota);
  }
  return Math.min(cap, left);
}
