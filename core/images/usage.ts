import { NO_USAGE, type ProjectUsage } from '../quota/usage.ts';
import type { Image } from './image.ts';
import type { ImageStatus } from './status.ts';

const WORKING: readonly ImageStatus[] = ['saving', 'uploading', 'importing'];
const STAGED: readonly ImageStatus[] = ['uploading', 'importing'];

/** What images take together (contract: quotas-and-limits.md section 2). */
export function usageOfImages(images: readonly Image[]): ProjectUsage {
  return images.reduce(plus, NO_USAGE);
}

function plus(usage: ProjectUsage, image: Image): ProjectUsage {
  const size = image.size ?? image.staged?.size ?? 0;
  const copying = image.status === 'active' && (image.importingTo?.length ?? 0) > 0;
  return {
    storedBytes: usage.storedBytes + size * placesOf(image),
    stagedBytes: usage.stagedBytes + (STAGED.includes(image.status) || copying ? size : 0),
    images: usage.images + 1,
    uploading: usage.uploading + (WORKING.includes(image.status) || copying ? 1 : 0),
  };
}

/** Copies that are there, or the one that an upload under way will make: one that said how long it is has its place already. */
function placesOf({ status, lock, locations }: Image): number {
  return status === 'saving' && lock !== null ? 1 : locations.length;
}
