/**
 * Makes one table equal to another: the last step of a restore, when the table of a stage is to hold again what a restored one holds
 * (docs/operations/upgrade.md). Writes every item of FROM, then removes what FROM does not have. Nothing else may write meanwhile; running
 * it again goes on where it was cut off, at the price of the beginning.
 *
 *   AWS_REGION=… node scripts/copy-table.ts --from RESTORED --to TABLE
 */
import { parseArgs } from 'node:util';
import {
  type AttributeValue,
  BatchGetItemCommand,
  type BatchGetItemCommandInput,
  type BatchGetItemCommandOutput,
  BatchWriteItemCommand,
  type BatchWriteItemCommandInput,
  type BatchWriteItemCommandOutput,
  DynamoDBClient,
  paginateScan,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { TABLE } from '../workflows/topology.ts';

/** As it goes over the wire: what is never taken apart cannot be changed. */
type Item = Record<string, AttributeValue>;

/** DynamoDB API reference, BatchWriteItem and BatchGetItem. */
const MAX_WRITES = 25;
const MAX_READS = 100;
/** Parts of a table that are read side by side. */
const SEGMENTS = 8;

const { values } = parseArgs({ options: { from: { type: 'string' }, to: { type: 'string' } } });
const { from, to } = values;
if (from === undefined || to === undefined || from === to) {
  console.error('Usage: node scripts/copy-table.ts --from RESTORED --to TABLE');
  process.exit(2);
}

const client = new DynamoDBClient({ maxAttempts: 10 });
const KEY: readonly string[] = [TABLE.partitionKey, TABLE.sortKey];
const keyOf = (item: Item): Item => Object.fromEntries(Object.entries(item).filter(([name]) => KEY.includes(name)));
const nameOf = (item: Item): string => KEY.map((name) => item[name]?.S).join(' ');

/** Calls `take` with every page of a table. */
async function eachPage(table: string, keysOnly: boolean, take: (items: Item[]) => Promise<void>): Promise<void> {
  const projection = keysOnly
    ? {
        ProjectionExpression: '#pk, #sk',
        ExpressionAttributeNames: { '#pk': TABLE.partitionKey, '#sk': TABLE.sortKey },
      }
    : {};
  const segments = Array.from({ length: SEGMENTS }, async (_, segment) => {
    const page = { TableName: table, Segment: segment, TotalSegments: SEGMENTS, ConsistentRead: true, ...projection };
    for await (const { Items = [] } of paginateScan({ client }, page)) await take(Items);
  });
  await Promise.all(segments);
}

function* groups<T>(all: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size);
}

/** What a busy table hands back is sent again. */
async function write(table: string, requests: readonly WriteRequest[]): Promise<void> {
  for (const group of groups(requests, MAX_WRITES)) {
    let left: BatchWriteItemCommandInput['RequestItems'] = { [table]: group };
    while (left !== undefined && Object.keys(left).length > 0) {
      const answer: BatchWriteItemCommandOutput = await client.send(new BatchWriteItemCommand({ RequestItems: left }));
      left = answer.UnprocessedItems;
    }
  }
}

/** Names of those keys that the table has. */
async function known(table: string, keys: readonly Item[]): Promise<Set<string>> {
  const names = new Set<string>();
  for (const group of groups(keys, MAX_READS)) {
    let left: BatchGetItemCommandInput['RequestItems'] = { [table]: { Keys: group, ConsistentRead: true } };
    while (left !== undefined && Object.keys(left).length > 0) {
      const answer: BatchGetItemCommandOutput = await client.send(new BatchGetItemCommand({ RequestItems: left }));
      for (const item of answer.Responses?.[table] ?? []) names.add(nameOf(item));
      left = answer.UnprocessedKeys;
    }
  }
  return names;
}

let written = 0;
let removed = 0;
await eachPage(from, false, async (items) => {
  await write(
    to,
    items.map((Item) => ({ PutRequest: { Item } })),
  );
  written += items.length;
});
await eachPage(to, true, async (items) => {
  const there = await known(from, items.map(keyOf));
  const gone = items.filter((item) => !there.has(nameOf(item)));
  await write(
    to,
    gone.map((item) => ({ DeleteRequest: { Key: keyOf(item) } })),
  );
  removed += gone.length;
});
console.log(`${to} holds what ${from} holds: ${written} items written, ${removed} removed.`);
