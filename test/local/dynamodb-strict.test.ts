import { afterEach, describe, expect, it } from 'vitest';
import { type DynamoDb, openDynamoDb } from '../../local/dynamodb/server.ts';
import type { StrictOptions } from '../../local/dynamodb/strict/operations.ts';
import type { JsonObject } from '../../local/wire/json.ts';

const TableName = 'records';

let database: DynamoDb;
const run = async (operation: string, input: object): Promise<JsonObject> =>
  (await database.service.operations.get(operation)?.(input as JsonObject)) as JsonObject;
const on = (operation: string, input: object) => run(operation, { TableName, ...input });

async function open(strict: StrictOptions = {}): Promise<void> {
  database = await openDynamoDb({ sweepIntervalMs: 0, strict });
  const keys = (hash: string, range: string) => [
    { AttributeName: hash, KeyType: 'HASH' },
    { AttributeName: range, KeyType: 'RANGE' },
  ];
  const names = ['pk', 'sk', 'gpk', 'gsk'];
  await on('CreateTable', {
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: keys('pk', 'sk'),
    AttributeDefinitions: names.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    GlobalSecondaryIndexes: [
      { IndexName: 'all', KeySchema: keys('gpk', 'gsk'), Projection: { ProjectionType: 'ALL' } },
      { IndexName: 'keys', KeySchema: keys('gpk', 'sk'), Projection: { ProjectionType: 'KEYS_ONLY' } },
    ],
  });
}
afterEach(() => database.close());

const key = (sk: string, pk = 'a') => ({ pk: { S: pk }, sk: { S: sk } });
/** An item of so many KiB, and a little. */
const item = (sk: string, kib: number, more: object = {}) => ({
  ...key(sk),
  text: { S: 'x'.repeat(kib * 1024) },
  ...more,
});
const indexed = (gpk: string, gsk = '1') => ({ gpk: { S: gpk }, gsk: { S: gsk } });

/** Units per key since the last look, as `table/key` or `index/key`. */
function taken(): Record<string, number> {
  const busy = (database.meter?.report() ?? []).filter(({ requests }) => requests > 0);
  database.meter?.reset();
  return Object.fromEntries(
    busy.map(({ index = 'table', key: of, readUnits, writeUnits }) => [`${index}/${of}`, readUnits + writeUnits]),
  );
}

/** DynamoDB Developer Guide, "DynamoDB read and write operations" and "…for global secondary indexes". */
describe('units', () => {
  const Item = item('1', 5, indexed('g'));
  const values = (value: string) => ({ ExpressionAttributeValues: { ':v': { S: value } } });
  const set = (attribute: string, value: string) => ({
    ...{ Key: key('1'), UpdateExpression: `SET ${attribute} = :v` },
    ...values(value),
  });

  it.each<[string, string, object, Record<string, number>]>([
    ['a strongly consistent read', 'GetItem', { Key: key('1'), ConsistentRead: true }, { 'table/a': 2 }],
    ['an eventually consistent one costs half', 'GetItem', { Key: key('1') }, { 'table/a': 1 }],
    ['a projection saves nothing', 'GetItem', { Key: key('1'), ProjectionExpression: 'sk' }, { 'table/a': 1 }],
    ['nothing there', 'GetItem', { Key: key('9'), ConsistentRead: true }, { 'table/a': 1 }],
    [
      'a query: all it looks at',
      'Query',
      { KeyConditionExpression: 'pk = :v', ...values('a'), ConsistentRead: true },
      { 'table/a': 3 },
    ],
    [
      'a filter saves nothing',
      'Query',
      {
        ...{ KeyConditionExpression: 'pk = :v', FilterExpression: 'title = :n' },
        ExpressionAttributeValues: { ':v': { S: 'a' }, ':n': { S: 'none' } },
      },
      { 'table/a': 1.5 },
    ],
    ['a limit does', 'Query', { KeyConditionExpression: 'pk = :v', ...values('a'), Limit: 1 }, { 'table/a': 1 }],
    [
      'a query of an index',
      'Query',
      { IndexName: 'all', KeyConditionExpression: 'gpk = :v', ...values('g') },
      { 'all/g': 1 },
    ],
    [
      'an index with keys only is small',
      'Query',
      { IndexName: 'keys', KeyConditionExpression: 'gpk = :v', ...values('g') },
      { 'keys/g': 0.5 },
    ],
    ['an empty query', 'Query', { KeyConditionExpression: 'pk = :v', ...values('z') }, { 'table/z': 0.5 }],
    ['a new item outside of indexes', 'PutItem', { Item: item('3', 2) }, { 'table/a': 3 }],
    [
      'a new item in indexes',
      'PutItem',
      { Item: item('3', 2, indexed('h')) },
      { 'table/a': 3, 'all/h': 3, 'keys/h': 1 },
    ],
    ['the larger of before and after', 'PutItem', { Item: item('1', 1, indexed('g')) }, { 'table/a': 6, 'all/g': 6 }],
    ['the same again writes no index', 'PutItem', { Item }, { 'table/a': 6 }],
    ['what one index holds', 'UpdateItem', set('title', 'x'), { 'table/a': 6, 'all/g': 6 }],
    [
      'to another key of an index: taken away and put',
      'UpdateItem',
      set('gpk', 'h'),
      { 'table/a': 6, 'all/g': 6, 'all/h': 6, 'keys/g': 1, 'keys/h': 1 },
    ],
    ['out of an index', 'UpdateItem', { Key: key('1'), UpdateExpression: 'REMOVE gsk' }, { 'table/a': 6, 'all/g': 6 }],
    ['a deletion', 'DeleteItem', { Key: key('1') }, { 'table/a': 6, 'all/g': 6, 'keys/g': 1 }],
    ['a deletion of nothing', 'DeleteItem', { Key: key('9') }, { 'table/a': 1 }],
  ])('%s', async (_, operation, input, expected) => {
    await open();
    await on('PutItem', { Item });
    await on('PutItem', { Item: item('2', 5) });
    taken();

    await on(operation, input);

    expect(taken()).toEqual(expected);
  });

  it('a condition that fails costs what a write of that item costs, and leaves indexes alone', async () => {
    await open();
    await on('PutItem', { Item });
    taken();

    await expect(on('PutItem', { Item: key('1'), ConditionExpression: 'attribute_not_exists(pk)' })).rejects.toThrow(
      'conditional',
    );

    expect(taken()).toEqual({ 'table/a': 6 });
  });

  it('a transaction costs twice', async () => {
    await open();
    await on('PutItem', { Item });
    taken();

    await run('TransactWriteItems', {
      TransactItems: [
        { Put: { TableName, Item: item('2', 0, indexed('g', '2')) } },
        { ConditionCheck: { TableName, Key: key('1'), ConditionExpression: 'attribute_exists(pk)' } },
      ],
    });
    expect(taken()).toEqual({ 'table/a': 2 + 12, 'all/g': 2, 'keys/g': 2 });

    await run('TransactGetItems', { TransactItems: [{ Get: { TableName, Key: key('1') } }] });
    expect(taken()).toEqual({ 'table/a': 4 });
  });

  it('a batch is the sum of its items', async () => {
    await open();

    await run('BatchWriteItem', {
      RequestItems: {
        [TableName]: [
          { PutRequest: { Item: item('1', 2) } },
          { PutRequest: { Item: item('2', 0) } },
          { DeleteRequest: { Key: key('3', 'b') } },
        ],
      },
    });
    expect(taken()).toEqual({ 'table/a': 4, 'table/b': 1 });

    await run('BatchGetItem', {
      RequestItems: { [TableName]: { Keys: [key('1'), key('9')], ConsistentRead: true } },
    });
    expect(taken()).toEqual({ 'table/a': 2 });
  });

  it('answers what it consumed to those who ask', async () => {
    await open();
    const put = (ReturnConsumedCapacity: string) =>
      on('PutItem', { Item: item('1', 0, indexed(ReturnConsumedCapacity)), ReturnConsumedCapacity });

    expect(await put('NONE')).toEqual({});
    expect(await put('TOTAL')).toEqual({ ConsumedCapacity: { TableName, CapacityUnits: 5 } });
    expect(await put('INDEXES')).toEqual({
      ConsumedCapacity: {
        ...{ TableName, CapacityUnits: 5, Table: { CapacityUnits: 1 } },
        GlobalSecondaryIndexes: { all: { CapacityUnits: 2 }, keys: { CapacityUnits: 2 } },
      },
    });
    const { ConsumedCapacity } = await run('BatchGetItem', {
      ...{ RequestItems: { [TableName]: { Keys: [key('1')] } }, ReturnConsumedCapacity: 'TOTAL' },
    });
    expect(ConsumedCapacity).toEqual([{ TableName, CapacityUnits: 0.5 }]);
  });
});

describe('limits', () => {
  const refused = { code: 'ProvisionedThroughputExceededException' };

  it('a write above them changes nothing', async () => {
    await open({ writeUnitsPerKey: 3 });
    await on('PutItem', { Item: item('1', 1) });

    await expect(on('PutItem', { Item: item('1', 2) })).rejects.toMatchObject(refused);

    const { Item } = await on('GetItem', { Key: key('1') });
    expect(Item).toEqual(item('1', 1));
    await on('PutItem', { Item: { ...key('1', 'other') } });
  });

  it('a busy key of an index holds its table up', async () => {
    await open({ writeUnitsPerKey: 2 });
    const put = (pk: string) => on('PutItem', { Item: { ...key('1', pk), ...indexed('g') } });
    await put('a');
    await put('b');

    await expect(put('c')).rejects.toMatchObject({
      ...refused,
      details: { ThrottlingReasons: [{ reason: 'IndexWriteKeyRangeThroughputExceeded' }] },
    });
    expect(await on('GetItem', { Key: key('1', 'c') })).toEqual({});
  });

  it('a read above them is refused', async () => {
    await open({ readUnitsPerKey: 1 });
    await on('GetItem', { Key: key('1') });
    await on('GetItem', { Key: key('1') });

    await expect(on('GetItem', { Key: key('1') })).rejects.toMatchObject(refused);
  });

  it('a transaction names the item that was too much, and changes nothing', async () => {
    await open({ writeUnitsPerKey: 3 });

    await expect(
      run('TransactWriteItems', {
        TransactItems: [{ Put: { TableName, Item: key('1') } }, { Put: { TableName, Item: key('2') } }],
      }),
    ).rejects.toMatchObject({
      code: 'TransactionCanceledException',
      details: { CancellationReasons: [{ Code: 'None' }, { Code: 'ProvisionedThroughputExceeded' }] },
    });

    expect(await on('GetItem', { Key: key('1') })).toEqual({});
  });

  it('a batch sends back what was too much', async () => {
    await open({ writeUnitsPerKey: 2, readUnitsPerKey: 1 });
    const puts = ['1', '2', '3'].map((sk) => ({ PutRequest: { Item: key(sk) } }));

    const written = await run('BatchWriteItem', { RequestItems: { [TableName]: puts } });
    const read = await run('BatchGetItem', {
      RequestItems: { [TableName]: { Keys: ['1', '2', '3'].map((sk) => key(sk)), ProjectionExpression: 'sk' } },
    });

    expect(written['UnprocessedItems']).toEqual({ [TableName]: [puts[2]] });
    expect(read).toMatchObject({
      Responses: { [TableName]: [{ sk: { S: '1' } }, { sk: { S: '2' } }] },
      UnprocessedKeys: { [TableName]: { Keys: [key('3')], ProjectionExpression: 'sk' } },
    });
    await expect(run('BatchWriteItem', { RequestItems: { [TableName]: puts } })).rejects.toMatchObject(refused);
  });
});

describe('chance', () => {
  const puts = Array.from({ length: 25 }, (_, n) => ({ PutRequest: { Item: key(String(n)) } }));
  const batch = { RequestItems: { [TableName]: puts } };

  it('sends items of batches back, the same for the same seed; they are not written', async () => {
    await open({ unprocessedRate: 0.3, seed: 5 });
    const { UnprocessedItems } = await run('BatchWriteItem', batch);
    const left = (UnprocessedItems as { [TableName]: typeof puts })[TableName];
    await database.close();
    await open({ unprocessedRate: 0.3, seed: 5 });

    expect(await run('BatchWriteItem', batch)).toEqual({ UnprocessedItems });

    expect(left.length).toBeGreaterThan(2);
    expect(left.length).toBeLessThan(16);
    expect(await on('GetItem', { Key: left[0]?.PutRequest.Item })).toEqual({});
  });

  it('throttles requests of every kind', async () => {
    await open({ throttleRate: 1 });
    const transact = { TransactItems: [{ Put: { TableName, Item: key('1') } }] };

    for (const [operation, input] of [
      ['PutItem', { TableName, Item: key('1') }],
      ['GetItem', { TableName, Key: key('1') }],
      ['Query', { TableName }],
      ['Scan', { TableName }],
      ['BatchWriteItem', batch],
      ['TransactWriteItems', transact],
    ] as const)
      await expect(run(operation, input)).rejects.toMatchObject({ code: 'ProvisionedThroughputExceededException' });
  });
});

it('what a batch may not hold is refused before anything is written', async () => {
  await open();
  const twice = [{ PutRequest: { Item: key('1') } }, { PutRequest: { Item: key('1') } }];

  await expect(run('BatchWriteItem', { RequestItems: { [TableName]: twice } })).rejects.toMatchObject({
    code: 'ValidationException',
  });

  expect(await on('GetItem', { Key: key('1') })).toEqual({});
});

it('nothing is counted unless asked for', async () => {
  database = await openDynamoDb({ sweepIntervalMs: 0 });

  expect(database.meter).toBeUndefined();
});
