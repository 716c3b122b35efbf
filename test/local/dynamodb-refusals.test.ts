/** What dynalite lets through, or answers without doing it, and DynamoDB does not. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbeddedDynamoDb } from '../../local/dynamodb/open.ts';
import type { DynamoDb } from '../../local/dynamodb/server.ts';
import type { JsonObject } from '../../local/wire/json.ts';
import { answerJson } from '../../local/wire/json-rpc.ts';

const TableName = 'records';
const KEYS = [
  { AttributeName: 'pk', KeyType: 'HASH' },
  { AttributeName: 'sk', KeyType: 'RANGE' },
];
const byWhen = (name: string): JsonObject[] => [
  { AttributeName: 'pk', KeyType: 'HASH' },
  { AttributeName: name, KeyType: 'RANGE' },
];
const Projection = { ProjectionType: 'ALL' };
const key = (sk: string): JsonObject => ({ pk: { S: 'p' }, sk: { S: sk } });

let dynamodb: DynamoDb;
beforeAll(async () => {
  dynamodb = await openEmbeddedDynamoDb({ sweepIntervalMs: 0 });
  await ask('CreateTable', {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: KEYS,
    AttributeDefinitions: ['pk', 'sk', 'when'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    LocalSecondaryIndexes: [{ IndexName: 'byWhen', KeySchema: byWhen('when'), Projection }],
  });
  for (const sk of ['a', 'b']) {
    await ask('PutItem', { TableName, Item: { ...key(sk), when: { S: sk }, colour: { S: 'red' } } });
  }
});
afterAll(() => dynamodb.close());

async function ask(operation: string, input: JsonObject): Promise<JsonObject> {
  const { text } = await answerJson(dynamodb.service, operation, Buffer.from(JSON.stringify(input)));
  return JSON.parse(text) as JsonObject;
}

describe('a request that DynamoDB refuses', () => {
  const Get = { TableName, Key: key('a') };
  const large = Array.from({ length: 12 }, (_, i) => ({
    Put: { TableName, Item: { ...key(`large-${i}`), payload: { S: 'x'.repeat(360_000) } } },
  }));
  it.each<[string, string, JsonObject, RegExp]>([
    [
      'a query for attributes without their names',
      'Query',
      {
        TableName,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: 'p' } },
        Select: 'SPECIFIC_ATTRIBUTES',
      },
      /SPECIFIC_ATTRIBUTES/,
    ],
    ['tags of what is no resource', 'TagResource', { ResourceArn: 'none', Tags: [] }, /ResourceArn/],
    ['a segment of nobody knows how many', 'Scan', { TableName, Segment: 0 }, /TotalSegments parameter is required/],
    [
      'an item read twice in a transaction',
      'TransactGetItems',
      { TransactItems: [{ Get }, { Get }] },
      /multiple operations/,
    ],
    ['a transaction of nothing', 'TransactWriteItems', { TransactItems: [] }, /Value '\[\]' at 'transactItems'/],
    ['a transaction of more than 4 MB', 'TransactWriteItems', { TransactItems: large }, /4MB/],
    [
      'an attribute for expiry without a name',
      'UpdateTimeToLive',
      { TableName, TimeToLiveSpecification: { Enabled: true, AttributeName: '' } },
      /AttributeName/,
    ],
  ])('%s', async (_what, operation, input, said) => {
    const answer = await ask(operation, input);

    expect(answer['__type']).toMatch(/ValidationException$/);
    expect(answer['message'] ?? answer['Message']).toMatch(said);
  });
});

describe('what a write says of its item collection', () => {
  it.each<[string, JsonObject]>([
    ['PutItem', { Item: key('c') }],
    ['UpdateItem', { Key: key('c'), AttributeUpdates: { colour: { Action: 'PUT', Value: { S: 'blue' } } } }],
    ['DeleteItem', { Key: key('c') }],
  ])('%s', async (operation, input) => {
    const asked = { TableName, ...input };

    expect(await ask(operation, asked)).not.toHaveProperty('ItemCollectionMetrics');
    expect(await ask(operation, { ...asked, ReturnItemCollectionMetrics: 'SIZE' })).toMatchObject({
      ItemCollectionMetrics: { ItemCollectionKey: { pk: { S: 'p' } }, SizeEstimateRangeGB: [0, 1] },
    });
  });
});

describe('an index that comes later', () => {
  const change = (update: JsonObject, more: JsonObject = {}): Promise<JsonObject> =>
    ask('UpdateTable', { TableName, ...more, GlobalSecondaryIndexUpdates: [update] });
  const Create = { IndexName: 'byColour', KeySchema: [{ AttributeName: 'colour', KeyType: 'HASH' }], Projection };
  const red = () =>
    ask('Query', {
      TableName,
      IndexName: 'byColour',
      KeyConditionExpression: 'colour = :c',
      ExpressionAttributeValues: { ':c': { S: 'red' } },
    });

  it('needs its keys defined', async () => {
    expect(await change({ Create })).toMatchObject({ __type: expect.stringMatching(/ValidationException$/) });
  });

  it('finds what was there before it, and what came after', async () => {
    const AttributeDefinitions = [{ AttributeName: 'colour', AttributeType: 'S' }];

    expect(await change({ Create }, { AttributeDefinitions })).toMatchObject({
      TableDescription: { GlobalSecondaryIndexes: [{ IndexName: 'byColour', IndexStatus: 'ACTIVE' }] },
    });
    expect(await red()).toMatchObject({ Count: 2 });
    await ask('PutItem', { TableName, Item: { ...key('d'), colour: { S: 'red' } } });
    expect(await red()).toMatchObject({ Count: 3 });
    expect(await change({ Create }, { AttributeDefinitions })).toMatchObject({
      __type: expect.stringMatching(/ValidationException$/),
    });
  });

  it('goes, with its entries', async () => {
    expect(await change({ Delete: { IndexName: 'none' } })).toMatchObject({
      __type: expect.stringMatching(/ResourceNotFoundException$/),
    });
    expect(await change({ Delete: { IndexName: 'byColour' } })).not.toHaveProperty(
      'TableDescription.GlobalSecondaryIndexes',
    );
    expect(await red()).toMatchObject({ __type: expect.stringMatching(/ValidationException$/) });
  });
});
