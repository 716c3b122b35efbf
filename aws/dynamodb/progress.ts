/**
 * How far imports are. An image's item may be large, and each write of it costs its whole size and that of four indexes: progress is an
 * item of its own, put over the image when that is read. An image that no task holds costs no read more.
 */
import { BatchGetCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Image, ImportProgress } from '../../core/images/image.ts';
import { BATCH_GET_KEYS } from './images-by-ids.ts';
import { type Key, progressKey } from './keys.ts';
import type { Table } from './table.ts';

/** Nobody looks at it once the task has ended: the table removes it. Longer than an import may take. Seconds. */
const KEPT_S = 2 * 86_400;

export async function putProgress(
  table: Table,
  taskId: string,
  progress: ImportProgress,
  nowMs: number,
): Promise<void> {
  const Item = { ...progressKey(taskId), progress, ttl: Math.ceil(nowMs / 1000) + KEPT_S };
  await table.client.send(new PutCommand({ TableName: table.name, Item }));
}

/** The image with the progress of the task that holds it. */
export async function withOwnProgress(table: Table, image: Image): Promise<Image> {
  if (!isImporting(image)) return image;
  const { Item } = await table.client.send(
    new GetCommand({ TableName: table.name, Key: progressKey(image.lock ?? '') }),
  );
  return Item === undefined ? image : { ...image, progress: Item['progress'] as ImportProgress };
}

/** The images as they are, with the progress of the tasks that hold them; what an image itself says of it is of an earlier version. */
export async function withProgress(table: Table, images: readonly Image[]): Promise<Image[]> {
  const holders = [...new Set(images.filter(isImporting).map(({ lock }) => lock ?? ''))];
  if (holders.length === 0) return [...images];
  const found = await progressOf(table, holders);
  return images.map((image) => {
    const progress = isImporting(image) ? found.get(progressKey(image.lock ?? '').pk) : undefined;
    return progress === undefined ? image : { ...image, progress };
  });
}

/** Held by a task, as far as the record tells: an upload holds a `saving` or `uploading` one. */
const isImporting = ({ lock, status }: Image): boolean =>
  lock !== null && status !== 'saving' && status !== 'uploading';

/** By partition key. */
async function progressOf(table: Table, taskIds: readonly string[]): Promise<Map<string, ImportProgress>> {
  const found = new Map<string, ImportProgress>();
  let keys: Key[] = taskIds.map(progressKey);
  while (keys.length > 0) {
    const answer = await table.client.send(
      new BatchGetCommand({ RequestItems: { [table.name]: { Keys: keys.slice(0, BATCH_GET_KEYS) } } }),
    );
    for (const { pk, progress } of answer.Responses?.[table.name] ?? [])
      found.set(pk as string, progress as ImportProgress);
    const again = (answer.UnprocessedKeys?.[table.name]?.Keys ?? []) as Key[];
    keys = [...again, ...keys.slice(BATCH_GET_KEYS)];
  }
  return found;
}
