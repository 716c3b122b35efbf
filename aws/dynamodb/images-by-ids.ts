import { BatchGetCommand } from '@aws-sdk/lib-dynamodb';
import type { Image } from '../../core/images/image.ts';
import { imageOf } from './image-item.ts';
import { imageKey } from './keys.ts';
import type { Table } from './table.ts';

/** DynamoDB's limit for one request. */
export const BATCH_GET_KEYS = 100;

/** Images in the order of their ids as given; the missing are left out. Strongly consistent. */
export async function imagesByIds(table: Table, ids: readonly string[]): Promise<Image[]> {
  const found = new Map<string, Image>();
  let keys = [...new Set(ids)].map(imageKey);
  while (keys.length > 0) {
    const batch = keys.slice(0, BATCH_GET_KEYS);
    const answer = await table.client.send(
      new BatchGetCommand({ RequestItems: { [table.name]: { Keys: batch, ConsistentRead: true } } }),
    );
    for (const item of answer.Responses?.[table.name] ?? []) {
      const image = imageOf(item);
      if (image !== undefined) found.set(image.id, image);
    }
    const again = (answer.UnprocessedKeys?.[table.name]?.Keys ?? []) as typeof keys;
    keys = [...again, ...keys.slice(BATCH_GET_KEYS)];
  }
  return ids.map((id) => found.get(id)).filter((image) => image !== undefined);
}
