import type { Image } from '../../core/images/image.ts';
import { usageOfImages } from '../../core/images/usage.ts';
import type { ProjectUsage } from '../../core/quota/usage.ts';
import { imageOf } from './image-item.ts';
import { ownerPartition } from './keys.ts';
import { queryAll } from './query-all.ts';
import type { Table } from './table.ts';

/** What a project's images take, summed over all its records. */
export async function projectUsage(table: Table, project: string): Promise<ProjectUsage> {
  const indexed: Image[] = [];
  const items = queryAll(table, {
    IndexName: 'gsi1',
    KeyConditionExpression: 'gsi1pk = :owner',
    ExpressionAttributeValues: { ':owner': ownerPartition(project) },
  });
  for await (const item of items) {
    const image = imageOf(item);
    if (image !== undefined) indexed.push(image);
  }
  return usageOfImages(
    table.recent.images.over(
      indexed,
      ({ id }) => id,
      ({ owner }) => owner === project,
    ),
  );
}
