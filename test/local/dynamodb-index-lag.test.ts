import { afterEach, expect, it, vi } from 'vitest';
import { type DynamoDb, openDynamoDb } from '../../local/dynamodb/server.ts';
import type { JsonObject } from '../../local/wire/json.ts';

/** Long enough to look before it is over, on a machine with other work. */
const LAG_MS = 1_500;
const TableName = 'records';

let database: DynamoDb;
const run = async (operation: string, input: object): Promise<JsonObject> =>
  (await database.service.operations.get(operation)?.({ TableName, ...input } as JsonObject)) as JsonObject;

async function open(indexLagMs: number): Promise<void> {
  database = await openDynamoDb({ sweepIntervalMs: 0, indexLagMs });
  const keys = (hash: string, range: string) => [
    { AttributeName: hash, KeyType: 'HASH' },
    { AttributeName: range, KeyType: 'RANGE' },
  ];
  await run('CreateTable', {
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: keys('pk', 'sk'),
    AttributeDefinitions: ['pk', 'sk', 'gpk', 'gsk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    GlobalSecondaryIndexes: [
      { IndexName: 'gsi1', KeySchema: keys('gpk', 'gsk'), Projection: { ProjectionType: 'ALL' } },
    ],
  });
}
afterEach(() => database.close());

const itemOf = (gsk: string) => ({ pk: { S: 'a' }, sk: { S: 'a' }, gpk: { S: 'g' }, gsk: { S: gsk } });
const put = (gsk: string) => run('PutItem', { Item: itemOf(gsk) });
const query = async (attribute: string, value: string, more: object = {}) => {
  const values = { ExpressionAttributeValues: { ':v': { S: value } } };
  const { Items } = await run('Query', { KeyConditionExpression: `${attribute} = :v`, ...values, ...more });
  return (Items as { gsk: { S: string } }[]).map(({ gsk }) => gsk.S);
};
const byIndex = () => query('gpk', 'g', { IndexName: 'gsi1' });
const byTable = () => query('pk', 'a');

it('an index sees writes late and in their order, the table sees them at once', async () => {
  await open(LAG_MS);
  const seen = new Set<string>();

  await put('1');
  const begun = performance.now();
  await put('2');

  expect(await byTable()).toEqual(['2']);
  expect(await byIndex()).toEqual([]);
  await vi.waitFor(
    async () => {
      for (const gsk of await byIndex()) seen.add(gsk);
      expect(seen).toContain('2');
    },
    { timeout: 60_000, interval: 5 },
  );
  expect(performance.now() - begun).toBeGreaterThanOrEqual(LAG_MS - 20);
  expect(await byIndex()).toEqual(['2']);
});

it('transactions and deletions are late as well, until the index catches up', async () => {
  await open(60_000);
  await run('TransactWriteItems', { TransactItems: [{ Put: { TableName, Item: itemOf('1') } }] });
  expect(await byIndex()).toEqual([]);

  await database.catchUp();
  await run('DeleteItem', { Key: { pk: { S: 'a' }, sk: { S: 'a' } } });

  expect(await byTable()).toEqual([]);
  expect(await byIndex()).toEqual(['1']);
  await database.catchUp();
  expect(await byIndex()).toEqual([]);
});

it('without the switch an index sees a write at once', async () => {
  await open(0);
  await put('1');

  expect(await byIndex()).toEqual(['1']);
});
