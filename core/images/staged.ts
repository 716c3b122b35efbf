import { stagedPrefix } from '../../bytes/keys.ts';
import type { StagedData } from './image.ts';
import type { RetiredWrite } from './retire-write.ts';

/** Staged bytes as a write of their own, where nobody will refer to them any more. */
export function stagedWrite(imageId: string, { writeId }: Pick<StagedData, 'writeId'>): RetiredWrite {
  return { imageId, writeId, places: [{ place: 'staging', prefix: stagedPrefix(imageId, writeId) }] };
}
