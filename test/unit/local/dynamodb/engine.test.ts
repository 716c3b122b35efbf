/**
 * What we take of dynalite's inner modules, which its package does not promise: with another version of it this file says which part
 * is another now, before anything else fails for a reason that is hard to read.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { database, engine, engines, promised, type Store } from '../../../../local/dynamodb/engine.ts';
import { indexPrefix, itemPrefix } from '../../../../local/dynamodb/unit-of-work.ts';
import type { JsonObject } from '../../../../local/wire/json.ts';

const TABLE: JsonObject = {
  TableName: 'records',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: ['pk', 'g'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  GlobalSecondaryIndexes: [
    { IndexName: 'gsi', KeySchema: [{ AttributeName: 'g', KeyType: 'HASH' }], Projection: { ProjectionType: 'ALL' } },
  ],
};
const ITEM: JsonObject = { pk: { S: 'a' }, g: { S: 'b' }, n: { N: '7' } };

let store: Store;
const run = (name: string, input: JsonObject) => engine(name).run(store, engine(name).check(input, store));
/** Values of all keys of the database that begin so. */
const stored = (prefix: string) => store.db.values({ gte: prefix, lt: `${prefix}\xff` });

beforeAll(async () => {
  store = database.create({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  await store.db.open();
  await run('CreateTable', TABLE);
  await vi.waitFor(
    async () => {
      const { Table } = (await run('DescribeTable', { TableName: 'records' })) as { Table: JsonObject };
      expect(Table['TableStatus']).toBe('ACTIVE');
    },
    { timeout: 60_000 },
  );
  await run('PutItem', { TableName: 'records', Item: ITEM });
});
afterAll(() => promised<void>((callback) => store.db.close(callback)));

describe('dynalite', () => {
  it.each([...engines.keys()])('refuses what %s does not take', (name) => {
    expect(() => engine(name).check({ TableName: 5, ExclusiveStartTableName: 5 }, store)).toThrow();
  });

  it('is asked for no operation that it does not have', () => {
    expect(() => engine('ExportTableToPointInTime')).toThrow('dynalite has no ExportTableToPointInTime');
  });

  it.each([
    ['items', itemPrefix('records')],
    ['entries of an index', indexPrefix('Global', 'records', 'gsi')],
  ])('keeps %s as they are, under the prefix that units of work write to', async (_name, prefix) => {
    const values = stored(prefix);

    expect(await values.nextv(10)).toEqual([ITEM]);
    await values.close();
  });

  it('finds an item by the key that it makes of it', async () => {
    const table = await promised<JsonObject>((callback) => store.getTable('records', callback));
    const key = database.createKey({ pk: { S: 'a' } }, table);

    expect(await promised((callback) => store.getItemDb('records').get(key, callback))).toEqual(ITEM);
    expect(await store.db.get(itemPrefix('records') + key)).toEqual(ITEM);
  });

  it('judges keys and conditions by themselves', async () => {
    const table = await promised<JsonObject>((callback) => store.getTable('records', callback));
    const check = (ConditionExpression: string) =>
      engine('DeleteItem').check({ TableName: 'records', Key: { pk: { S: 'a' } }, ConditionExpression }, store);

    expect(database.validateKey({ pk: { S: 'a' } }, table)).toBeFalsy();
    expect(database.validateKey({ other: { S: 'a' } }, table)).toBeInstanceOf(Error);
    expect(database.checkConditional(check('attribute_exists(pk)'), ITEM)).toBeFalsy();
    expect(database.checkConditional(check('attribute_not_exists(pk)'), ITEM)).toBeInstanceOf(Error);
  });

  it('takes a store in place of its own', async () => {
    const asked: string[] = [];
    const between: Store = {
      ...store,
      getItemDb: (name) => {
        asked.push(name);
        return store.getItemDb(name);
      },
    };
    const input = engine('GetItem').check({ TableName: 'records', Key: { pk: { S: 'a' } } }, store);

    expect(await engine('GetItem').run(between, input)).toMatchObject({ Item: ITEM });
    expect(asked).toEqual(['records']);
  });
});
