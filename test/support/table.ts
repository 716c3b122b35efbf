import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createDutyRepository } from '../../aws/dynamodb/duties.ts';
import { type Table, tableOf } from '../../aws/dynamodb/table.ts';
import type { DutyRepository } from '../../core/duties/duty.ts';
import { type DynamoDb, openDynamoDb } from '../../local/dynamodb/server.ts';
import { readStrict, type Strict } from '../../local/strict.ts';
import { serveJson } from '../../local/wire/json-rpc.ts';
import { TABLE } from '../../workflows/topology.ts';

/** Milliseconds that indexes lag; the project `index-lag` of vitest.config.ts runs the contract suite with 500. */
const INDEX_LAG_MS = Number(process.env['GLIMPSE_TEST_INDEX_LAG_MS'] ?? 0);

/** `dynamodb`, or JSON with its options: the contract suite over a table that counts and limits as DynamoDB does. */
const STRICT = readStrict(process.env['GLIMPSE_LOCAL_STRICT']);

export interface TestTable {
  readonly table: Table;
  readonly client: DynamoDBClient;
  /** The same table as another process has it. */
  another(): Table;
  /** What requests took of each key; absent unless strict. */
  readonly meter: DynamoDb['meter'];
  /** Waits until the indexes have seen every write. */
  indexed(): Promise<void>;
  close(): Promise<void>;
}

/** A fresh table with all its indexes in the embedded DynamoDB, in memory on a free port of 127.0.0.1. */
export async function startTable(strict: Strict = STRICT): Promise<TestTable> {
  const dynamodb = await openDynamoDb({ sweepIntervalMs: 0, indexLagMs: INDEX_LAG_MS, strict: strict.dynamodb });
  const server = createServer((req, res) => {
    const operation = String(req.headers['x-amz-target']).split('.').at(-1) ?? '';
    void serveJson(dynamodb.service, operation, req, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clients: DynamoDBClient[] = [];
  const connect = () => {
    const opened = new DynamoDBClient({
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    clients.push(opened);
    return opened;
  };
  const client = connect();
  await createTable(client);
  return {
    table: tableOf(client, TABLE.name),
    client,
    another: () => tableOf(connect(), TABLE.name),
    meter: dynamodb.meter,
    indexed: dynamodb.catchUp,
    async close() {
      for (const opened of clients) opened.destroy();
      server.close();
      await once(server, 'close');
      await dynamodb.close();
    },
  };
}

/** Duties as the janitor meets them: it comes minutes after they were written, and indexes lag by less than a second. */
export function dutiesOf({ table, indexed }: TestTable): DutyRepository {
  const duties = createDutyRepository(table);
  return {
    ...duties,
    async due(...asked) {
      await indexed();
      return duties.due(...asked);
    },
  };
}

async function createTable(client: DynamoDBClient): Promise<void> {
  const attributes = [TABLE, ...TABLE.indexes].flatMap((index) => [index.partitionKey, index.sortKey]);
  const keySchema = (keys: { partitionKey: string; sortKey: string }) => [
    { AttributeName: keys.partitionKey, KeyType: 'HASH' as const },
    { AttributeName: keys.sortKey, KeyType: 'RANGE' as const },
  ];
  await client.send(
    new CreateTableCommand({
      TableName: TABLE.name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: attributes.map((name) => ({ AttributeName: name, AttributeType: 'S' as const })),
      KeySchema: keySchema(TABLE),
      GlobalSecondaryIndexes: TABLE.indexes.map((index) => ({
        IndexName: index.name,
        KeySchema: keySchema(index),
        Projection: { ProjectionType: 'ALL' as const },
      })),
    }),
  );
}
