import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
} from '@aws-sdk/client-dynamodb';
import { createDutyRepository } from '../../aws/dynamodb/duties.ts';
import { type Table, tableOf } from '../../aws/dynamodb/table.ts';
import type { DutyRepository } from '../../core/duties/duty.ts';
import { openEmbeddedDynamoDb } from '../../local/dynamodb/open.ts';
import type { DynamoDb } from '../../local/dynamodb/server.ts';
import { readStrict, type Strict } from '../../local/strict.ts';
import { answerJson, type JsonService } from '../../local/wire/json-rpc.ts';
import { TABLE } from '../../workflows/topology.ts';

/** Milliseconds that indexes lag; the project `index-lag` of vitest.config.ts runs the contract suite with 500. */
const INDEX_LAG_MS = Number(process.env['GLIMPSE_TEST_INDEX_LAG_MS'] ?? 0);

/** `dynamodb`, or JSON with its options: the contract suite over a table that counts and limits as DynamoDB does. */
const STRICT = readStrict(process.env['GLIMPSE_LOCAL_STRICT']);

/** A DynamoDB by others, in which every table has a name of its own; the embedded one otherwise. */
const ENDPOINT = process.env['GLIMPSE_TEST_DYNAMODB_ENDPOINT'];

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

/** A fresh table with all its indexes in the embedded DynamoDB, in memory; the SDK's client speaks to it within this process. */
export async function startTable(strict: Strict = STRICT): Promise<TestTable> {
  if (ENDPOINT !== undefined) return tableAt(ENDPOINT);
  const dynamodb = await openEmbeddedDynamoDb({
    sweepIntervalMs: 0,
    indexLagMs: INDEX_LAG_MS,
    strict: strict.dynamodb,
  });
  const clients: DynamoDBClient[] = [];
  const connect = () => {
    const opened = new DynamoDBClient({
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      requestHandler: withoutSockets(dynamodb.service),
      // Nobody looks at it here (local/iam/ does), and it is a good part of what a call takes.
      signer: { sign: async (request) => request },
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
      await dynamodb.close();
    },
  };
}

async function tableAt(endpoint: string): Promise<TestTable> {
  const name = `${TABLE.name}-${randomUUID()}`;
  const client = new DynamoDBClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await createTable(client, name);
  return {
    table: tableOf(client, name),
    client,
    another: () => tableOf(client, name),
    meter: undefined,
    indexed: async () => undefined,
    async close() {
      await client.send(new DeleteTableCommand({ TableName: name }));
      client.destroy();
    },
  };
}

/** What a connection would carry, handed over. */
function withoutSockets(service: JsonService): RequestHandler {
  const handle = async ({ headers, body }: Request): Promise<object> => {
    const operation = String(headers['x-amz-target']).split('.').at(-1) ?? '';
    const answer = await answerJson(service, operation, typeof body === 'string' ? Buffer.from(body) : bytesOf(body));
    const { status: statusCode, text } = answer;
    return { response: { statusCode, headers: answer.headers, body: Readable.from([Buffer.from(text)]) } };
  };
  return { handle } as unknown as RequestHandler;
}

type RequestHandler = NonNullable<DynamoDBClientConfig['requestHandler']>;

interface Request {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength);

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

async function createTable(client: DynamoDBClient, name: string = TABLE.name): Promise<void> {
  const attributes = [TABLE, ...TABLE.indexes].flatMap((index) => [index.partitionKey, index.sortKey]);
  const keySchema = (keys: { partitionKey: string; sortKey: string }) => [
    { AttributeName: keys.partitionKey, KeyType: 'HASH' as const },
    { AttributeName: keys.sortKey, KeyType: 'RANGE' as const },
  ];
  await client.send(
    new CreateTableCommand({
      TableName: name,
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
