import { NO_USAGE, type ProjectUsage, plus } from '../quota/usage.ts';
import type { Image } from './image.ts';
import type { ImageStatus } from './status.ts';

const WORKING: readonly ImageStatus[] = ['saving', 'uploading', 'importing'];
const STAGED: readonly ImageStatus[] = ['uploading', 'importing'];
/** An image that is taken out of use goes on being copied. */
const KEPT: readonly ImageStatus[] = ['active', 'deactivated'];

/** What images take together (contract: quotas-and-limits.md section 2). */
export function usageOfImages(images: readonly Image[]): ProjectUsage {
  return images.map(usageOfImage).reduce(plus, NO_USAGE);
}

export function usageOfImage(image: Image): ProjectUsage {
  const size = image.size ?? image.staged?.size ?? 0;
  const isCopying = KEPT.includes(image.status) && (image.importingTo?.length ?? 0) > 0;
  return {
    storedBytes: size * placesOf(image),
    stagedBytes: STAGED.includes(image.status) || isCopying ? (image.staged?.size ?? size) : keptBytes(image),
    images: 1,
    uploading: WORKING.includes(image.status) || isCopying ? 1 : 0,
  };
}

/** What a cancelled import left for a retry stays staged. */
function keptBytes({ status, staged }: Image): number {
  return status === 'queued' ? (staged?.size ?? 0) : 0;
}

/** Copies that are there, and those that an import or upload under way will make: what is being written has its place already. */
function placesOf({ status, lock, locations, importingTo }: Image): number {
  if (status === 'saving' && lock !== null) return 1;
  const held = new Set(locations.map(({ store }) => store));
  return locations.length + (importingTo ?? []).filter((store) => !held.has(store)).length;
}
