/** What of the staging bucket is an import's: its source, as it arrived and unpacked, and whatever it made of that. */
import { imagePrefix, planPrefix, stagedPrefix } from '../../bytes/keys.ts';
import type { StoredBytes } from '../../bytes/stored-bytes.ts';
import type { StagedData } from '../images/image.ts';
import type { ImportFacts } from '../tasks/task.ts';

/** Where PUT stage left the bytes of an image. */
export function stagedSource(imageId: string, { writeId, layout, size }: StagedData): StoredBytes {
  return { place: 'staging', prefix: stagedPrefix(imageId, writeId), layout, size };
}

/** Every prefix of the staging bucket that goes with an import. */
export function stagingPrefixes(imageId: string, taskId: string, { source, packed }: ImportFacts): string[] {
  const sources = [source, packed].flatMap((bytes) => (bytes?.place === 'staging' ? [bytes.prefix] : []));
  return [...new Set([...sources, imagePrefix(imageId, taskId), stagedPrefix(imageId, taskId), planPrefix(taskId)])];
}
