import { imagePrefix, planPrefix, stagedPrefix } from '../../bytes/keys.ts';
import type { StoredBytes } from '../../bytes/stored-bytes.ts';
import { type Image, type StagedData, storesWrittenBy } from '../images/image.ts';
import type { RetiredWrite } from '../images/retire-write.ts';
import type { Task } from '../tasks/task.ts';
import type { ImportTask } from './report/import-task.ts';

/** Where PUT stage left the bytes of an image. */
export function stagedSource(imageId: string, { writeId, layout, size }: StagedData): StoredBytes {
  return { place: 'staging', prefix: stagedPrefix(imageId, writeId), layout, size };
}

/**
 * Where in the staging bucket an import finds and leaves bytes: its source, as it arrived and unpacked, what it fetched and rendered, its
 * plan.
 */
export function stagingPrefixes(imageId: string, taskId: string, task: Pick<Task, 'facts'> | undefined): string[] {
  const { source, packed } = task?.facts ?? {};
  const sources = [source, packed].flatMap((bytes) => (bytes?.place === 'staging' ? [bytes.prefix] : []));
  return [...new Set([...sources, imagePrefix(imageId, taskId), stagedPrefix(imageId, taskId), planPrefix(taskId)])];
}

/** Everything an import may have written, or been given, in every place; but not the copies that the image refers to. */
export function leftovers(task: ImportTask, image: Image | undefined): RetiredWrite {
  const prefix = imagePrefix(task.imageId, task.id);
  const kept = storesWrittenBy(image, task.id);
  // The image is somebody else's then: what is staged waits for a retry, or is being imported by it.
  const spared = image?.staged && image.lock !== task.id ? stagedPrefix(image.id, image.staged.writeId) : undefined;
  return {
    imageId: task.imageId,
    writeId: task.id,
    places: [
      ...stagingPrefixes(task.imageId, task.id, task)
        .filter((staged) => staged !== spared)
        .map((staged) => ({ place: 'staging', prefix: staged })),
      ...task.import.stores.filter((store) => !kept.includes(store)).map((place) => ({ place, prefix })),
    ],
  };
}
