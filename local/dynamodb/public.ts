/**
 * The embedded DynamoDB without dynalite's inner modules: its public server, on a port of this machine, and around it what the
 * protocol alone can do. All calls take turns, so nobody sees half a transaction, which is done item by item and taken back when a
 * condition fails. A process that dies within one leaves half of it, and nothing expires: that is what this lacks.
 */
import { mkdirSync } from 'node:fs';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsError, required } from '../wire/aws-error.ts';
import { isObject, type Json, type JsonObject, objectAt, stringAt } from '../wire/json.ts';
import type { Operation } from '../wire/json-rpc.ts';
import { awsErrorOf, codeOf, withItem } from './errors.ts';
import type { DynamoDb, DynamoDbOptions } from './server.ts';
import { oneAtATime } from './turns.ts';

type Dynalite = (options: {
  path?: string;
  createTableMs: number;
  deleteTableMs: number;
  updateTableMs: number;
}) => Server;

/** Sends one operation to the public server. Throws AwsError. */
type Call = (operation: string, input: JsonObject) => Promise<JsonObject>;

const TARGET = 'DynamoDB_20120810';
const READS = ['BatchGetItem', 'DescribeTable', 'GetItem', 'ListTables', 'ListTagsOfResource', 'Query', 'Scan'];
const CHANGES = ['BatchWriteItem', 'TagResource', 'UntagResource'];
const ITEM_CHANGES = ['PutItem', 'UpdateItem', 'DeleteItem'];
const TABLE_CHANGES = ['CreateTable', 'DeleteTable', 'UpdateTable'];
const BODY_LIMIT = 16 * 1024 * 1024;

/** @throws Error for strictness and lagging indexes, which no test may take for granted here; when the directory is in use */
export async function openPublicDynamoDb(options: DynamoDbOptions): Promise<DynamoDb> {
  if (options.strict !== undefined || (options.indexLagMs ?? 0) > 0) {
    throw new Error("the embedded DynamoDB is strict, and its indexes lag, with dynalite's inner modules only");
  }
  const { call, close } = await startServer(options.path);
  const alone = oneAtATime();
  const describe = async (table: string): Promise<JsonObject> =>
    objectAt(await call('DescribeTable', { TableName: table }), 'Table') ?? {};
  const expiring = new Map<string, string>();
  const operations = new Map<string, Operation>();
  const answer = (names: readonly string[], run: (name: string, input: JsonObject) => Promise<JsonObject>) => {
    for (const name of names) operations.set(name, (input) => alone(() => run(name, input)));
  };
  answer([...READS, ...CHANGES], call);
  answer(ITEM_CHANGES, (name, input) => change(call, describe, name, input));
  answer(TABLE_CHANGES, async (name, input) => {
    const result = await call(name, input);
    await settled(() => describe(required(input, 'TableName')));
    return result;
  });
  answer(['TransactWriteItems'], (_name, input) => transactWrite(call, describe, input));
  answer(['TransactGetItems'], (_name, input) => transactGet(call, input));
  answer(['UpdateTimeToLive'], async (_name, input) => {
    const spec = objectAt(input, 'TimeToLiveSpecification') ?? {};
    if (spec['Enabled'] === true) expiring.set(required(input, 'TableName'), required(spec, 'AttributeName'));
    else expiring.delete(required(input, 'TableName'));
    return { TimeToLiveSpecification: spec };
  });
  answer(['DescribeTimeToLive'], async (_name, input) => {
    const attribute = expiring.get(required(input, 'TableName'));
    const known = attribute === undefined ? {} : { AttributeName: attribute };
    return {
      TimeToLiveDescription: { TimeToLiveStatus: attribute === undefined ? 'DISABLED' : 'ENABLED', ...known },
    };
  });

  return {
    service: { target: TARGET, version: '1.0', operations, bodyLimit: BODY_LIMIT },
    sweep: async () => 0,
    catchUp: async () => undefined,
    meter: undefined,
    partitionKeyOf: async (table, index) => {
      const found = await describe(table).catch(() => undefined);
      const indexes = Array.isArray(found?.['GlobalSecondaryIndexes']) ? found['GlobalSecondaryIndexes'] : [];
      const schema = index === undefined ? found : indexes.filter(isObject).find((one) => one['IndexName'] === index);
      return schema === undefined ? undefined : keyNames(schema)[0];
    },
    close: () => alone(close),
  };
}

async function startServer(path: string | undefined): Promise<{ call: Call; close: () => Promise<void> }> {
  if (path !== undefined) mkdirSync(path, { recursive: true });
  const dynalite = createRequire(import.meta.url)('dynalite') as Dynalite;
  const times = { createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 };
  const server = dynalite({ ...(path === undefined ? {} : { path }), ...times });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    // It looks whether there is a signature, not at it.
    authorization: 'AWS4-HMAC-SHA256 Credential=local, SignedHeaders=host, Signature=none',
    'x-amz-date': '20260101T000000Z',
  };
  const call: Call = async (operation, input) => {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      headers: { ...headers, 'x-amz-target': `${TARGET}.${operation}` },
      body: JSON.stringify(input),
    });
    const body = (await response.json()) as JsonObject;
    if (response.ok) return body;
    throw awsErrorOf(Object.assign(new Error(operation), { statusCode: response.status, body }));
  };
  const close = () =>
    new Promise<void>((resolve, reject) => {
      server.close((error) => (error ? reject(error) : resolve()));
      server.closeAllConnections();
    });
  return { call, close };
}

type Describe = (table: string) => Promise<JsonObject>;

/** One item's change, with the item as it is when a condition failed and the request asks for it. */
async function change(call: Call, describe: Describe, name: string, input: JsonObject): Promise<JsonObject> {
  try {
    return await call(name, input);
  } catch (caught) {
    const error = awsErrorOf(caught);
    const wanted = input['ReturnValuesOnConditionCheckFailure'] === 'ALL_OLD';
    if (!wanted || error.code !== 'ConditionalCheckFailedException') throw error;
    const item = await itemOf(call, describe, input);
    throw item === undefined ? error : withItem(error, item);
  }
}

const ACTIONS: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  // An update without an expression: it changes nothing, and makes an item where none was.
  ConditionCheck: 'UpdateItem',
};

async function transactWrite(call: Call, describe: Describe, input: JsonObject): Promise<JsonObject> {
  const undo: (() => Promise<JsonObject>)[] = [];
  const reasons: JsonObject[] = [];
  for (const item of itemsOf(input)) {
    const [kind = '', request] = Object.entries(item)[0] ?? [];
    const operation = ACTIONS[kind];
    if (operation === undefined || !isObject(request)) {
      throw new AwsError('ValidationException', 'TransactItems can only contain one of Check, Put, Update or Delete');
    }
    const { TableName = '' } = request;
    const before = await itemOf(call, describe, request);
    const key = await keyOf(describe, request);
    const back = () =>
      before === undefined ? call('DeleteItem', { TableName, Key: key }) : call('PutItem', { TableName, Item: before });
    try {
      await call(operation, request);
      if (kind === 'ConditionCheck') await back();
      else undo.push(back);
      reasons.push({ Code: 'None' });
    } catch (error) {
      const { code, message } = awsErrorOf(error);
      const old = request['ReturnValuesOnConditionCheckFailure'] === 'ALL_OLD' && before !== undefined;
      reasons.push({ Code: codeOf(code), Message: message, ...(old ? { Item: before } : {}) });
    }
  }
  if (reasons.every((reason) => reason['Code'] === 'None')) return {};
  for (const back of undo) await back();
  const codes = reasons.map((reason) => String(reason['Code'])).join(', ');
  const text = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`;
  throw new AwsError('TransactionCanceledException', text, 400, { CancellationReasons: reasons as Json[] });
}

async function transactGet(call: Call, input: JsonObject): Promise<JsonObject> {
  const responses: Json[] = [];
  for (const item of itemsOf(input)) {
    const { Item } = await call('GetItem', { ...objectAt(item, 'Get'), ConsistentRead: true });
    responses.push(Item === undefined ? {} : { Item });
  }
  return { Responses: responses };
}

const itemsOf = (input: JsonObject): JsonObject[] =>
  Array.isArray(input['TransactItems']) ? input['TransactItems'].filter(isObject) : [];

async function itemOf(call: Call, describe: Describe, request: JsonObject): Promise<JsonObject | undefined> {
  const { TableName = '' } = request;
  const { Item } = await call('GetItem', { TableName, Key: await keyOf(describe, request), ConsistentRead: true });
  return isObject(Item) ? Item : undefined;
}

/** The key of the item that a request changes: it names it, or puts the item that has it. */
async function keyOf(describe: Describe, request: JsonObject): Promise<JsonObject> {
  const key = objectAt(request, 'Key');
  if (key !== undefined) return key;
  const item = objectAt(request, 'Item') ?? {};
  const names = keyNames(await describe(required(request, 'TableName')));
  return Object.fromEntries(names.map((name) => [name, item[name] ?? null]));
}

/** Names of the partition key and, where there is one, the sort key. */
const keyNames = (schema: JsonObject): string[] =>
  (Array.isArray(schema['KeySchema']) ? schema['KeySchema'].filter(isObject) : []).flatMap(
    (key) => stringAt(key, 'AttributeName') ?? [],
  );

/** Dynalite changes a table's status from a timer; the next request must find the change. */
async function settled(describe: () => Promise<JsonObject>): Promise<void> {
  for (;;) {
    const table = await describe().catch(() => undefined);
    if (table === undefined || table['TableStatus'] === 'ACTIVE') return;
    await sleep(1);
  }
}
