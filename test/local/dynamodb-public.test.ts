/** Dynalite's public server stands in for its inner modules where they are away: the suites of records, and what it says. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createImageRepository } from '../../aws/dynamodb/images.ts';
import { createTaskRepository } from '../../aws/dynamodb/tasks.ts';
import { createUsageRepository } from '../../aws/dynamodb/usage.ts';
import { openEmbeddedDynamoDb } from '../../local/dynamodb/open.ts';
import type { DynamoDb } from '../../local/dynamodb/server.ts';
import type { JsonObject } from '../../local/wire/json.ts';
import { answerJson } from '../../local/wire/json-rpc.ts';
import { imageRepositorySuite } from '../support/conformance/images.ts';
import { taskRepositorySuite } from '../support/conformance/tasks.ts';
import { usageRepositorySuite } from '../support/conformance/usage.ts';
import { startTable } from '../support/table.ts';

/** A dynalite of which only the package's one promise is left. */
vi.mock('node:module', async (original) => {
  const node = await original<typeof import('node:module')>();
  const createRequire = (from: string) => (name: string) => {
    if (name.startsWith('dynalite/')) throw new Error(`Cannot find module '${name}'\nRequire stack:\n- here`);
    return node.createRequire(from)(name);
  };
  return { ...node, default: { ...node, createRequire }, createRequire };
});

const opened = async () => {
  const { table, indexed, close } = await startTable({});
  const time = { nowMs: Date.parse('2026-02-02T00:00:00Z') };
  return { table, clock: { now: () => time.nowMs }, time, indexed, close };
};

imageRepositorySuite(async () => {
  const { table, clock, ...rest } = await opened();
  return { images: createImageRepository(table, { clock }), ...rest };
});
taskRepositorySuite(async () => {
  const { table, clock, ...rest } = await opened();
  return { tasks: createTaskRepository(table, clock), ...rest };
});
usageRepositorySuite(async () => {
  const { table, clock, ...rest } = await opened();
  return { usage: createUsageRepository(table, { clock }), ...rest };
});

describe('an embedded DynamoDB without inner modules', () => {
  const said: string[] = [];
  let path: string;
  let dynamodb: DynamoDb;
  const open = () => openEmbeddedDynamoDb({ path }, (line) => said.push(line));
  const ask = async (operation: string, input: JsonObject): Promise<JsonObject> =>
    JSON.parse((await answerJson(dynamodb.service, operation, Buffer.from(JSON.stringify(input)))).text) as JsonObject;
  const TableName = 'records';
  const put = (pk: string, more: object = {}) => ({ Put: { TableName, Item: { pk: { S: pk }, ...more } } });
  const get = async (pk: string) => (await ask('GetItem', { TableName, Key: { pk: { S: pk } } }))['Item'];
  const ABSENT = { ConditionExpression: 'attribute_not_exists(pk)', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' };

  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), 'glimpse-dynalite-'));
    dynamodb = await open();
    await ask('CreateTable', {
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    });
  });
  afterAll(async () => {
    await dynamodb.close();
    await rm(path, { recursive: true });
  });

  it('says so in one line, with what is missing', () => {
    expect(said).toEqual([
      "embedded AWS: DynamoDB by dynalite's public server, since its inner modules are others (Cannot find module " +
        "'dynalite/validations'): transactions are not safe from kill -9, and nothing expires",
    ]);
  });

  it('does all of a transaction', async () => {
    const check = { TableName, Key: { pk: { S: 'away' } }, ConditionExpression: 'attribute_not_exists(pk)' };
    const items = [put('a'), put('b'), { ConditionCheck: check }];

    expect(await ask('TransactWriteItems', { TransactItems: items })).toEqual({});
    expect(
      await ask('TransactGetItems', {
        TransactItems: ['a', 'away'].map((pk) => ({ Get: { TableName, Key: { pk: { S: pk } } } })),
      }),
    ).toEqual({ Responses: [{ Item: { pk: { S: 'a' } } }, {}] });
  });

  it('does nothing of one whose condition fails, and tells the item that failed it', async () => {
    const item = { pk: { S: 'a' }, n: { N: '1' } };
    const absent = { Put: { TableName, Item: item, ...ABSENT } };
    const removal = { Delete: { TableName, Key: { pk: { S: 'b' } } } };
    const answer = await ask('TransactWriteItems', { TransactItems: [put('new'), removal, absent] });

    expect(answer).toMatchObject({
      __type: 'TransactionCanceledException',
      CancellationReasons: [
        { Code: 'None' },
        { Code: 'None' },
        { Code: 'ConditionalCheckFailed', Item: { pk: { S: 'a' } } },
      ],
    });
    expect(await get('new')).toBeUndefined();
    expect(await get('b')).toEqual({ pk: { S: 'b' } });
  });

  it('keeps a changed item when what it belongs to fails', async () => {
    const update = { UpdateExpression: 'SET n = :n', ExpressionAttributeValues: { ':n': { N: '7' } } };
    const changed = { Update: { TableName, Key: { pk: { S: 'a' } }, ...update } };
    await ask('TransactWriteItems', {
      TransactItems: [changed, { Put: { TableName, Item: { pk: { S: 'b' } }, ...ABSENT } }],
    });

    expect(await get('a')).toEqual({ pk: { S: 'a' } });
  });

  it('tells the item on which a condition failed', async () => {
    expect(await ask('PutItem', { TableName, Item: { pk: { S: 'a' } }, ...ABSENT })).toMatchObject({
      __type: 'ConditionalCheckFailedException',
      Item: { pk: { S: 'a' } },
    });
  });

  it('knows partition keys, for policies', async () => {
    expect(await dynamodb.partitionKeyOf(TableName)).toBe('pk');
    expect(await dynamodb.partitionKeyOf(TableName, 'none')).toBeUndefined();
    expect(await dynamodb.partitionKeyOf('none')).toBeUndefined();
  });

  it('remembers which attribute would expire, so that a start sets it once', async () => {
    await ask('UpdateTimeToLive', { TableName, TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true } });

    expect(await ask('DescribeTimeToLive', { TableName })).toEqual({
      TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: 'ttl' },
    });
  });

  it('finds its items after it was closed', async () => {
    await dynamodb.close();
    dynamodb = await open();

    expect(await get('a')).toEqual({ pk: { S: 'a' } });
  });

  it.each([{ strict: {} }, { indexLagMs: 500 }])('is not opened as hard as AWS: %j', async (options) => {
    await expect(openEmbeddedDynamoDb(options, () => undefined)).rejects.toThrow('with dynalite');
  });
});
