import { expect, test } from 'vitest';
import { putAll } from '../../aws/dynamodb/batch-write.ts';
import { itemOf } from '../../aws/dynamodb/image-item.ts';
import { createImageListing } from '../../aws/dynamodb/image-list.ts';
import type { ImageQuery } from '../../core/images/query.ts';
import { anImage } from '../support/images.ts';
import { startTable } from '../support/table.ts';

const OWNED = 400;
const at = (second: number) => new Date(Date.parse('2026-01-01T00:00:00Z') + 1000 * second).toISOString();

test('a page of an admin who owns many images costs the page, its own community images included', async () => {
  const { table, indexed, close } = await startTable();
  try {
    const many = Array.from({ length: OWNED }, (_, n) =>
      anImage({
        name: `own-${n}`,
        owner: 'admin',
        visibility: n === OWNED - 3 ? 'community' : 'private',
        createdAt: at(n),
      }),
    );
    const others = anImage({ name: 'theirs', owner: 'demo', visibility: 'community', createdAt: at(OWNED) });
    await putAll(
      table,
      [...many, others].map((image) => itemOf(image, 1)),
    );
    await indexed();
    let rows = 0;
    table.client.middlewareStack.add((next) => async (args) => {
      const answer = await next(args);
      rows += (answer.output as { ScannedCount?: number }).ScannedCount ?? 0;
      return answer;
    });
    const query: ImageQuery = {
      project: 'admin',
      isAdmin: true,
      memberStatus: 'accepted',
      filters: [{ kind: 'equal', attribute: 'hidden', values: [false] }],
      sort: [
        { key: 'createdAt', direction: 'desc' },
        { key: 'id', direction: 'desc' },
      ],
      limit: 5,
    };

    const { images } = await createImageListing(table).page(query);

    expect(images.map(({ name }) => name)).toEqual([1, 2, 3, 4, 5].map((back) => `own-${OWNED - back}`));
    expect(rows).toBeLessThanOrEqual(4 * 5);
  } finally {
    await close();
  }
});
