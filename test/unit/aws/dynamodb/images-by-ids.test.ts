import { BatchGetCommand } from '@aws-sdk/lib-dynamodb';
import { expect, test } from 'vitest';
import { itemOf } from '../../../../aws/dynamodb/image-item.ts';
import { imagesByIds } from '../../../../aws/dynamodb/images-by-ids.ts';
import type { Table } from '../../../../aws/dynamodb/table.ts';
import type { Image } from '../../../../core/images/image.ts';
import { anImage } from '../../../support/images.ts';

/** A table that answers at most `answered` keys of each request and sends the others back. */
function busyTable(images: readonly Image[], answered: number): { readonly table: Table; readonly requests: number[] } {
  const items = new Map(images.map((image) => [`IMAGE#${image.id}`, itemOf(image, 1)]));
  const requests: number[] = [];
  const send = async (command: unknown) => {
    if (!(command instanceof BatchGetCommand)) throw new TypeError('only batches are expected');
    const keys = command.input.RequestItems?.['t']?.Keys ?? [];
    requests.push(keys.length);
    return {
      Responses: { t: keys.slice(0, answered).flatMap(({ pk }) => items.get(String(pk)) ?? []) },
      UnprocessedKeys: keys.length > answered ? { t: { Keys: keys.slice(answered) } } : {},
    };
  };
  return { table: { name: 't', client: { send } } as unknown as Table, requests };
}

test.each([
  ['everything is answered', 100],
  ['most keys of each request come back', 30],
])('images come in the order asked for, the missing left out, when %s', async (_, answered) => {
  const images = Array.from({ length: 130 }, () => anImage());
  const { table, requests } = busyTable(images, answered);
  const ids = images.map(({ id }) => id).toReversed();

  const found = await imagesByIds(table, ['missing', ...ids, ids[0] ?? '']);

  expect(found.map(({ id }) => id)).toEqual([...ids, ids[0]]);
  expect(Math.max(...requests)).toBeLessThanOrEqual(100);
});

test('none are asked for when none are wanted', async () => {
  const { table, requests } = busyTable([], 100);

  expect(await imagesByIds(table, [])).toEqual([]);
  expect(requests).toEqual([]);
});
