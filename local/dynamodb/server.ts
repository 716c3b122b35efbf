/**
 * The embedded DynamoDB: dynalite's validations and actions, called in this process, with what it lacks around them:
 * atomic writes, transactions, the old item on a failed condition, time to live.
 */
import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isObject, type JsonObject } from '../wire/json.ts';
import type { JsonService, Operation } from '../wire/json-rpc.ts';
import { database, type Engine, engines, promised, type Store, tableOf } from './engine.ts';
import { awsErrorOf } from './errors.ts';
import { changeIndexes, changesIndexes } from './index-changes.ts';
import { laggingIndexes } from './index-lag.ts';
import { readStore } from './read-store.ts';
import { read, write } from './run.ts';
import { hashOf, indexNamed } from './strict/charges.ts';
import { type StrictDynamoDb, type StrictOptions, strictOperations } from './strict/operations.ts';
import { describeTimeToLive, sweepExpired, updateTimeToLive } from './time-to-live.ts';
import { transactGet, transactWrite } from './transactions.ts';
import { oneAtATime } from './turns.ts';

/** DynamoDB's own limit is 16 MB for a batch. */
const BODY_LIMIT = 16 * 1024 * 1024;
const DEFAULT_SWEEP_MS = 10 * 60_000;

/** Where the tables live and how often expired items go. */
export interface DynamoDbOptions {
  /** LevelDB directory; absent: in memory. */
  path?: string | undefined;
  /** Milliseconds between two sweeps of expired items; 0 turns them off. */
  sweepIntervalMs?: number;
  /** Milliseconds that index reads see a write late, as they may on AWS; default 0. */
  indexLagMs?: number;
  /** Counts and limits what requests take, as AWS does; absent: nothing is counted and nothing refused. */
  strict?: StrictOptions | undefined;
}

export interface DynamoDb {
  readonly service: JsonService;
  /** Deletes what has expired, now. Returns the number of items. */
  sweep(): Promise<number>;
  /** Lets indexes that lag see every write, now. */
  catchUp(): Promise<void>;
  /** What requests took of each key; absent unless strict. */
  readonly meter: StrictDynamoDb['meter'] | undefined;
  /** Name of the partition key of a table, or of one of its indexes; undefined for one that is not there. */
  partitionKeyOf(table: string, index?: string): Promise<string | undefined>;
  close(): Promise<void>;
}

const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem']);
const TABLE_CHANGES = new Set(['CreateTable', 'DeleteTable', 'UpdateTable']);

/** Opens the database. Throws one clear error when another process holds the directory. */
export async function openDynamoDb(options: DynamoDbOptions = {}): Promise<DynamoDb> {
  const { store: base, catchUp } = laggingIndexes(await openStore(options.path), options.indexLagMs ?? 0);
  const { store, forgetTables } = readStore(base);
  const alone = oneAtATime();
  const sweep = () => sweepExpired(store, alone);
  const sweepEveryMs = options.sweepIntervalMs ?? DEFAULT_SWEEP_MS;
  const timer = sweepEveryMs > 0 ? setInterval(() => void sweep().catch(awsErrorOf), sweepEveryMs) : undefined;
  timer?.unref();

  const operations = new Map<string, Operation>([
    ['TransactWriteItems', (input) => alone(() => transactWrite(store, input))],
    ['TransactGetItems', (input) => alone(() => transactGet(store, input))],
    ['UpdateTimeToLive', (input) => updateTimeToLive(store, input)],
    ['DescribeTimeToLive', (input) => describeTimeToLive(store, input)],
  ]);
  for (const [name, engine] of engines) {
    if (WRITES.has(name)) operations.set(name, (input) => alone(() => write(engine, store, input)));
    else if (TABLE_CHANGES.has(name)) operations.set(name, (input) => alone(() => changeTable(engine, input)));
    else operations.set(name, (input) => read(engine, store, input));
  }

  const strict = options.strict === undefined ? undefined : strictOperations(store, alone, options.strict);
  for (const [name, operation] of strict?.operations ?? []) operations.set(name, operation);

  async function changeTable(engine: Engine, input: JsonObject): Promise<JsonObject> {
    forgetTables();
    await catchUp();
    const result = await (changesIndexes(input) ? changeIndexes(base, input) : read(engine, base, input));
    await settled(base, String(input['TableName']));
    forgetTables();
    return result;
  }

  return {
    service: { target: 'DynamoDB_20120810', version: '1.0', operations, bodyLimit: BODY_LIMIT },
    sweep,
    catchUp,
    meter: strict?.meter,
    partitionKeyOf: async (table, index) => {
      const found = await tableOf(store, table).catch(() => undefined);
      const schema = found === undefined || index === undefined ? found : indexNamed(found, index);
      return schema === undefined ? undefined : hashOf(schema);
    },
    close: async () => {
      clearInterval(timer);
      await alone(catchUp);
      await new Promise<void>((resolve, reject) => {
        base.db.close((error) => (error ? reject(error as Error) : resolve()));
      });
    },
  };
}

/** Dynalite changes a table's status from a timer; the next request must find the change. */
async function settled(store: Store, name: string): Promise<void> {
  for (;;) {
    const table = await promised<JsonObject>((callback) => store.getTable(name, false, callback)).catch(
      () => undefined,
    );
    if (table === undefined || table['TableStatus'] === 'ACTIVE') return;
    await sleep(1);
  }
}

async function openStore(path: string | undefined): Promise<Store> {
  if (path !== undefined) mkdirSync(path, { recursive: true });
  const times = { createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 };
  const store = database.create({ ...(path === undefined ? {} : { path }), ...times });
  try {
    await store.db.open();
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    const locked = cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED';
    const why = locked ? 'is in use by another process' : `cannot be opened: ${String(cause ?? error)}`;
    throw new Error(`the data directory ${path} ${why}`, { cause: error });
  }
  await finishTables(store);
  return store;
}

/** A kill right after CreateTable or DeleteTable leaves a table half way; nobody else would finish it. */
async function finishTables(store: Store): Promise<void> {
  for await (const [key, table] of store.db.iterator({ gte: 'table~', lt: 'table~\xff' })) {
    if (!isObject(table) || table['TableStatus'] === 'ACTIVE') continue;
    if (table['TableStatus'] === 'DELETING') await store.db.batch([{ type: 'del', key }]);
    else await store.db.batch([{ type: 'put', key, value: { ...table, TableStatus: 'ACTIVE' } }]);
  }
}
