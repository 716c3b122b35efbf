/** The last step of a restore: scripts/copy-table.ts makes one table equal to another, to the bit. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  DynamoDBClient,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddedAws, startEmbeddedAws } from '../../local/embedded.ts';
import { ROOT } from './graph.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
let aws: EmbeddedAws;
let dynamodb: DynamoDBClient;

beforeAll(async () => {
  aws = await startEmbeddedAws();
  dynamodb = new DynamoDBClient({ endpoint: aws.endpoint, region: 'us-east-1', credentials });
});
afterAll(() => aws.close());

type Item = Record<string, AttributeValue>;
const item = (at: number, more: Item = {}): Item => ({
  pk: { S: `image#${at % 7}` },
  sk: { S: `record#${at}` },
  size: { N: '12345678901234567890123456789' },
  stores: { SS: ['central', 'edge'] },
  map: { B: new Uint8Array([0, 255, at % 256]) },
  ...more,
});

async function tableOf(name: string, items: readonly Item[]): Promise<void> {
  await dynamodb.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk'].map((key) => ({ AttributeName: key, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
  for (let at = 0; at < items.length; at += 25) {
    const requests = items.slice(at, at + 25).map((Item) => ({ PutRequest: { Item } }));
    await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [name]: requests } }));
  }
}

async function contentOf(name: string): Promise<string[]> {
  const { Items = [] } = await dynamodb.send(new ScanCommand({ TableName: name }));
  return Items.map((one) => JSON.stringify(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1)))).sort();
}

async function run(...args: string[]): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, [join(ROOT, 'scripts/copy-table.ts'), ...args], {
    env: {
      PATH: process.env['PATH'] ?? '',
      AWS_ENDPOINT_URL: aws.endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const said = text(child.stdout);
  const [code] = await once(child, 'exit');
  return { code: code as number, said: await said };
}

test('the table holds what the restored one holds: old values again, what came later gone', async () => {
  const numbers = Array.from({ length: 130 }, (_, at) => at);
  await tableOf(
    'restored',
    numbers.map((at) => item(at)),
  );
  await tableOf('present', [
    ...numbers.slice(0, 60).map((at) => item(at, { name: { S: 'changed since' } })),
    ...numbers.slice(0, 110).map((at) => item(1000 + at)),
  ]);

  const copied = await run('--from', 'restored', '--to', 'present');

  expect(copied).toEqual({ code: 0, said: 'present holds what restored holds: 130 items written, 110 removed.\n' });
  expect(await contentOf('present')).toEqual(await contentOf('restored'));
  expect(await contentOf('restored')).toHaveLength(130);
});

test('a table is not copied onto itself', async () => {
  expect(await run('--from', 'present', '--to', 'present')).toEqual({ code: 2, said: '' });
});
