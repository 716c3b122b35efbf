import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactGetCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAwsProcesses } from '../../local/processes.ts';
import { clientOf, type Running, startProcesses } from './processes.ts';

let running: Running;
let client: DynamoDBClient;
let documents: DynamoDBDocumentClient;
const TableName = 'records';

beforeAll(async () => {
  running = await startProcesses();
  client = new DynamoDBClient(clientOf(running.aws.endpoint));
  documents = DynamoDBDocumentClient.from(client);
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: ['pk', 'sk', 'gpk', 'gsk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      GlobalSecondaryIndexes: [
        {
          IndexName: 'gsi1',
          KeySchema: [
            { AttributeName: 'gpk', KeyType: 'HASH' },
            { AttributeName: 'gsk', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    }),
  );
});
afterAll(() => running.stop());

const put = (pk: string, more: object = {}) =>
  documents.send(new PutCommand({ TableName, Item: { pk, sk: 'a', ...more } }));
const get = async (pk: string) => (await documents.send(new GetCommand({ TableName, Key: { pk, sk: 'a' } }))).Item;
const byIndex = async (gpk: string) => {
  const result = await documents.send(
    new QueryCommand({
      TableName,
      IndexName: 'gsi1',
      KeyConditionExpression: 'gpk = :g',
      ExpressionAttributeValues: { ':g': gpk },
    }),
  );
  return (result.Items ?? []).map((item) => item['pk']);
};

describe('tables', () => {
  it('are active at once and refuse a second creation', async () => {
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));

    expect(Table?.TableStatus).toBe('ACTIVE');
    await expect(
      client.send(
        new CreateTableCommand({
          TableName,
          BillingMode: 'PAY_PER_REQUEST',
          KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        }),
      ),
    ).rejects.toMatchObject({ name: 'ResourceInUseException' });
  });

  it('take items as soon as CreateTable has answered', async () => {
    for (let round = 0; round < 10; round++) {
      const name = `fresh-${round}`;
      await client.send(
        new CreateTableCommand({
          TableName: name,
          BillingMode: 'PAY_PER_REQUEST',
          KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        }),
      );
      await documents.send(new PutCommand({ TableName: name, Item: { pk: 'x' } }));
      await client.send(new DeleteTableCommand({ TableName: name }));
    }
  });

  it('are gone after DeleteTable', async () => {
    const other = 'short-lived';
    await client.send(
      new CreateTableCommand({
        TableName: other,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      }),
    );
    await documents.send(new PutCommand({ TableName: other, Item: { pk: 'x' } }));
    await client.send(new DeleteTableCommand({ TableName: other }));

    await expect(documents.send(new GetCommand({ TableName: other, Key: { pk: 'x' } }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});

describe('items', () => {
  it('keep types, sets and nested values', async () => {
    const item = { n: 1.5, s: '', list: [1, { a: null }], set: new Set(['x', 'y']), yes: true };
    await put('types', item);

    expect(await get('types')).toEqual({ pk: 'types', sk: 'a', ...item });
  });

  it('are written once by racing creates', async () => {
    const create = () =>
      documents.send(
        new PutCommand({ TableName, Item: { pk: 'race', sk: 'a' }, ConditionExpression: 'attribute_not_exists(pk)' }),
      );
    const results = await Promise.allSettled(Array.from({ length: 20 }, create));

    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  });

  it('count every concurrent increment', async () => {
    const increment = () =>
      documents.send(
        new UpdateCommand({
          TableName,
          Key: { pk: 'count', sk: 'a' },
          UpdateExpression: 'ADD n :one',
          ExpressionAttributeValues: { ':one': 1 },
        }),
      );
    await Promise.all(Array.from({ length: 50 }, increment));

    expect(await get('count')).toMatchObject({ n: 50 });
  });

  it('come back with a failed condition when asked for', async () => {
    await put('old', { v: 1 });
    const attempt = documents.send(
      new UpdateCommand({
        TableName,
        Key: { pk: 'old', sk: 'a' },
        UpdateExpression: 'SET v = :two',
        ConditionExpression: 'v = :nine',
        ExpressionAttributeValues: { ':two': 2, ':nine': 9 },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
    );

    await expect(attempt).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
      Item: { v: { N: '1' } },
    });
  });

  it('move between index partitions and leave sparse indexes', async () => {
    await put('moving', { gpk: 'one', gsk: '1' });
    await put('moving', { gpk: 'two', gsk: '1' });
    expect([await byIndex('one'), await byIndex('two')]).toEqual([[], ['moving']]);

    await documents.send(
      new UpdateCommand({ TableName, Key: { pk: 'moving', sk: 'a' }, UpdateExpression: 'REMOVE gpk' }),
    );

    expect(await byIndex('two')).toEqual([]);
  });

  it('page through a query in both directions', async () => {
    const keys = Array.from({ length: 60 }, (_, index) => `k${String(index).padStart(3, '0')}`);
    const requests = keys.map((sk) => ({ PutRequest: { Item: { pk: 'pages', sk } } }));
    for (let at = 0; at < requests.length; at += 25) {
      await documents.send(new BatchWriteCommand({ RequestItems: { [TableName]: requests.slice(at, at + 25) } }));
    }
    const read = async (ScanIndexForward: boolean) => {
      const found: string[] = [];
      let ExclusiveStartKey: Record<string, unknown> | undefined;
      do {
        const page = await documents.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: 'pk = :p',
            ExpressionAttributeValues: { ':p': 'pages' },
            Limit: 7,
            ScanIndexForward,
            ...(ExclusiveStartKey === undefined ? {} : { ExclusiveStartKey }),
          }),
        );
        found.push(...(page.Items ?? []).map((item) => String(item['sk'])));
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey !== undefined);
      return found;
    };

    expect(await read(true)).toEqual(keys);
    expect(await read(false)).toEqual(keys.toReversed());
  });

  it('are read and deleted in batches and found by a scan', async () => {
    await put('batch1');
    await put('batch2');
    const Keys = [
      { pk: 'batch1', sk: 'a' },
      { pk: 'batch2', sk: 'a' },
    ];
    const found = await documents.send(new BatchGetCommand({ RequestItems: { [TableName]: { Keys } } }));
    expect(found.Responses?.[TableName]).toHaveLength(2);

    await documents.send(new DeleteCommand({ TableName, Key: { pk: 'batch1', sk: 'a' } }));
    const scan = await documents.send(
      new ScanCommand({
        TableName,
        FilterExpression: 'begins_with(pk, :b)',
        ExpressionAttributeValues: { ':b': 'batch' },
      }),
    );

    expect(scan.Items?.map((item) => item['pk'])).toEqual(['batch2']);
  });
});

describe('transactions', () => {
  const write = (pk: string, extra: object = {}) => ({ Put: { TableName, Item: { pk, sk: 'a' }, ...extra } });

  it('write all items and their index entries', async () => {
    await put('t-counter', { n: 1 });
    await documents.send(
      new TransactWriteCommand({
        TransactItems: [
          { Put: { TableName, Item: { pk: 't1', sk: 'a', gpk: 'tx', gsk: '1' } } },
          {
            Update: {
              TableName,
              Key: { pk: 't-counter', sk: 'a' },
              UpdateExpression: 'ADD n :one',
              ExpressionAttributeValues: { ':one': 1 },
            },
          },
          {
            ConditionCheck: {
              TableName,
              Key: { pk: 'nobody', sk: 'a' },
              ConditionExpression: 'attribute_not_exists(pk)',
            },
          },
        ],
      }),
    );

    expect(await byIndex('tx')).toEqual(['t1']);
    expect(await get('t-counter')).toMatchObject({ n: 2 });
  });

  it('write nothing when one condition fails, and say which', async () => {
    await put('taken', { v: 7 });
    const attempt = documents.send(
      new TransactWriteCommand({
        TransactItems: [
          write('never'),
          write('taken', {
            ConditionExpression: 'attribute_not_exists(pk)',
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        ],
      }),
    );

    await expect(attempt).rejects.toMatchObject({
      name: 'TransactionCanceledException',
      CancellationReasons: [{ Code: 'None' }, { Code: 'ConditionalCheckFailed', Item: { v: { N: '7' } } }],
    });
    expect(await get('never')).toBeUndefined();
  });

  it('happen once per client token', async () => {
    const add = (ClientRequestToken: string, by: number) =>
      documents.send(
        new TransactWriteCommand({
          ClientRequestToken,
          TransactItems: [
            {
              Update: {
                TableName,
                Key: { pk: 'token', sk: 'a' },
                UpdateExpression: 'ADD n :by',
                ExpressionAttributeValues: { ':by': by },
              },
            },
          ],
        }),
      );
    await add('first', 1);
    await add('first', 1);

    expect(await get('token')).toMatchObject({ n: 1 });
    await expect(add('first', 2)).rejects.toMatchObject({ name: 'IdempotentParameterMismatchException' });
  });

  it('refuse the same item twice', async () => {
    const attempt = documents.send(new TransactWriteCommand({ TransactItems: [write('same'), write('same')] }));

    await expect(attempt).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('read several items', async () => {
    await put('r1', { v: 1 });
    const { Responses } = await documents.send(
      new TransactGetCommand({
        TransactItems: ['r1', 'r-none'].map((pk) => ({ Get: { TableName, Key: { pk, sk: 'a' } } })),
      }),
    );

    expect(Responses?.map((response) => response.Item?.['v'])).toEqual([1, undefined]);
  });
});

describe('time to live', () => {
  it('deletes what has expired and keeps the rest', async () => {
    await client.send(
      new UpdateTimeToLiveCommand({
        TableName,
        TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
      }),
    );
    const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
    const now = Math.floor(Date.now() / 1000);
    await put('past', { expires: now - 60 });
    await put('future', { expires: now + 600 });

    const response = await fetch(`${running.aws.endpoint}/_glimpse/dynamodb/sweep`, { method: 'POST' });

    expect(TimeToLiveDescription).toMatchObject({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expires' });
    expect(await response.json()).toEqual({ swept: 1 });
    expect([await get('past'), await get('future')]).toEqual([undefined, expect.objectContaining({ pk: 'future' })]);
  });
});

describe('the data folder', () => {
  it('keeps every acknowledged write over kill -9', async () => {
    const acknowledged: string[] = [];
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let index = 0; index < 300; index++) {
        const pk = `kill-${writer}-${index}`;
        await documents.send(new PutCommand({ TableName, Item: { pk, sk: 'a', gpk: 'kill', gsk: pk } }));
        acknowledged.push(pk);
      }
    });
    const outcome = Promise.allSettled(writers);
    while (acknowledged.length < 200) await new Promise(setImmediate);
    await running.killControl();
    await outcome;

    const lost = (await Promise.all(acknowledged.slice(0, 400).map(get))).filter((item) => item === undefined);
    expect(lost).toEqual([]);
    const indexed = new Set(await byIndex('kill'));
    expect(acknowledged.filter((pk) => !indexed.has(pk))).toEqual([]);
  });

  it('is refused to a second process in one clear line', async () => {
    await expect(startAwsProcesses({ dataDir: running.dataDir, port: 0 })).rejects.toThrow(/in use|lock/i);
  });
});
