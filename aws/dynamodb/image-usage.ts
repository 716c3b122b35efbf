import type { Image } from '../../core/images/image.ts';
import { NO_USAGE, type ProjectUsage } from '../../core/quota/usage.ts';
import { imageOf } from './image-item.ts';
import { ownerPartition } from './keys.ts';
import { queryAll } from './query-all.ts';
import type { Table } from './table.ts';

const WORKING = new Set(['saving', 'uploading', 'importing']);
const STAGED = new Set(['uploading', 'importing']);

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
  return table.recent.images
    .over(
      indexed,
      ({ id }) => id,
      ({ owner }) => owner === project,
    )
    .reduce(plus, NO_USAGE);
}

function plus(usage: ProjectUsage, image: Image): ProjectUsage {
  const size = image.size ?? image.staged?.size ?? 0;
  const copying = image.status === 'active' && (image.importingTo?.length ?? 0) > 0;
  return {
    storedBytes: usage.storedBytes + size * image.locations.length,
    stagedBytes: usage.stagedBytes + (STAGED.has(image.status) || copying ? size : 0),
    images: usage.images + 1,
    uploading: usage.uploading + (WORKING.has(image.status) || copying ? 1 : 0),
  };
}
