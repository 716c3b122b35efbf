import { BatchGetCommand, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isConditionFailure, type Table } from '../../aws/dynamodb/table.ts';
import { startTable } from '../support/table.ts';

let table: Table;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ table, close } = await startTable());
});
afterAll(() => close());

const key = { pk: 'P', sk: 'S' };
const ITEM = {
  ...key,
  text: 'größe 日本 \u{1F4BE}',
  empty: '',
  number: 2 ** 53 - 1,
  negative: -1.5,
  yes: true,
  nothing: null,
  list: [1, 'two', [3]],
  map: { S: 'names of types are keys too', nested: { M: {}, NULL: [] } },
  texts: new Set(['a', 'b']),
  numbers: new Set([1, 2]),
  bytes: new Uint8Array([0, 255]),
};

test('every type of value comes back as it was put', async () => {
  await table.client.send(new PutCommand({ TableName: table.name, Item: ITEM }));

  const { Item } = await table.client.send(new GetCommand({ TableName: table.name, Key: key }));

  expect(Item).toEqual(ITEM);
});

test('pages, batches, written attributes and missing items are plain values as well', async () => {
  for (const sk of ['1', '2'])
    await table.client.send(new PutCommand({ TableName: table.name, Item: { pk: 'Q', sk, n: Number(sk) } }));

  const page = await table.client.send(
    new QueryCommand({
      TableName: table.name,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': 'Q' },
      Limit: 1,
    }),
  );
  const batch = await table.client.send(
    new BatchGetCommand({ RequestItems: { [table.name]: { Keys: [{ pk: 'Q', sk: '2' }] } } }),
  );
  const missing = await table.client.send(new GetCommand({ TableName: table.name, Key: { pk: 'Q', sk: '3' } }));
  const updated = await table.client.send(
    new UpdateCommand({
      TableName: table.name,
      Key: { pk: 'Q', sk: '1' },
      UpdateExpression: 'SET n = n + :one',
      ExpressionAttributeValues: { ':one': 1 },
      ReturnValues: 'ALL_NEW',
    }),
  );

  expect(page).toMatchObject({ Count: 1, Items: [{ pk: 'Q', sk: '1', n: 1 }], LastEvaluatedKey: { pk: 'Q', sk: '1' } });
  expect(page.$metadata.httpStatusCode).toBe(200);
  expect(batch.Responses?.[table.name]).toEqual([{ pk: 'Q', sk: '2', n: 2 }]);
  expect(missing.Item).toBeUndefined();
  expect(updated.Attributes).toEqual({ pk: 'Q', sk: '1', n: 2 });
});

test("an error is still the SDK's", async () => {
  const put = new PutCommand({ TableName: table.name, Item: key, ConditionExpression: 'attribute_not_exists(pk)' });

  const error = await table.client.send(put).catch((caught: unknown) => caught);

  expect(isConditionFailure(error)).toBe(true);
});
