/**
 * DynamoDB as its limits are: units counted per key of the table and of each index, requests refused above what a partition serves,
 * items of batches sent back. Around the same engine; without it nothing is counted. The store's own work is paid for by nobody.
 */
import type { AwsError } from '../../wire/aws-error.ts';
import { type Chance, chance } from '../../wire/chance.ts';
import { isObject, type Json, type JsonObject, numberAt, objectAt, stringAt } from '../../wire/json.ts';
import type { Operation } from '../../wire/json-rpc.ts';
import { engine, type Store, tableOf } from '../engine.ts';
import { awsErrors } from '../errors.ts';
import { read, write } from '../run.ts';
import type { Alone } from '../time-to-live.ts';
import { type OnItem, transactGet, transactWrite } from '../transactions.ts';
import { unitOfWork } from '../unit-of-work.ts';
import { type Charge, getCharge, hashOf, indexNamed, queryCharge, writeCharges } from './charges.ts';
import { consumedCapacity } from './consumed-capacity.ts';
import { isThrottled, Meter, type MeterOptions, throttled } from './meter.ts';

/** How hard the world is. Rates are shares of all requests or items, 0 to 1; default 0. */
export interface StrictOptions extends MeterOptions {
  /** Requests that are throttled whatever they ask for. */
  readonly throttleRate?: number;
  /** Items of BatchWriteItem and BatchGetItem that come back unprocessed. */
  readonly unprocessedRate?: number;
  /** The same seed is the same chance; default 1. */
  readonly seed?: number;
  /** The clock by which seconds are counted, in milliseconds, for whoever has one of their own; one that does not go back. */
  readonly nowMs?: () => number;
}

/** The operations that take units, and what they took. */
export interface StrictDynamoDb {
  readonly operations: ReadonlyMap<string, Operation>;
  readonly meter: Pick<Meter, 'report' | 'reset'>;
}

interface World {
  readonly store: Store;
  readonly alone: Alone;
  readonly meter: Meter;
  readonly chance: Chance;
  readonly options: StrictOptions;
}

/** Operations that take the place of the plain ones. */
export function strictOperations(store: Store, alone: Alone, options: StrictOptions): StrictDynamoDb {
  const world: World = {
    store,
    alone,
    meter: new Meter(options, options.nowMs),
    chance: chance(options.seed),
    options,
  };
  const single = (name: string): [string, Operation] => [
    name,
    (input) => alone(() => answered(world, input, 'write', (charges) => writeOne(world, name, input, charges))),
  ];
  const operations = new Map<string, Operation>([
    single('PutItem'),
    single('UpdateItem'),
    single('DeleteItem'),
    ['GetItem', (input) => answered(world, input, 'read', (charges) => getOne(world, input, charges))],
    ['Query', (input) => answered(world, input, 'read', (charges) => look(world, 'Query', input, charges))],
    ['Scan', (input) => answered(world, input, 'read', (charges) => look(world, 'Scan', input, charges))],
    ['BatchGetItem', (input) => answered(world, input, 'read', (charges) => batchGet(world, input, charges))],
    [
      'BatchWriteItem',
      (input) => alone(() => answered(world, input, 'write', (charges) => batchWrite(world, input, charges))),
    ],
    [
      'TransactGetItems',
      (input) =>
        alone(() => answered(world, input, 'read', (charges) => transactGet(store, input, reads(world, charges)))),
    ],
    [
      'TransactWriteItems',
      (input) =>
        alone(() => answered(world, input, 'write', (charges) => transactWrite(store, input, writes(world, charges)))),
    ],
  ]);
  return { operations, meter: world.meter };
}

/** Runs a request that chance lets through, and adds what it consumed when the client asks. */
async function answered(
  world: World,
  input: JsonObject,
  kind: Charge['kind'],
  run: (charges: Charge[]) => Promise<JsonObject>,
): Promise<JsonObject> {
  const table = stringAt(input, 'TableName') ?? Object.keys(objectAt(input, 'RequestItems') ?? {})[0] ?? 'table';
  if (world.chance(world.options.throttleRate ?? 0)) throw throttled({ kind, table });
  const charges: Charge[] = [];
  const { ConsumedCapacity: _, ...result } = await run(charges);
  const consumed = consumedCapacity(input, charges);
  return consumed === undefined ? result : { ...result, ConsumedCapacity: consumed };
}

const describe = ({ store }: World, input: JsonObject): Promise<JsonObject> =>
  awsErrors(() => tableOf(store, String(input['TableName'])));

function take(world: World, charges: Charge[], taken: readonly Charge[]): void {
  world.meter.take(taken);
  charges.push(...taken);
}

async function writeOne(world: World, name: string, input: JsonObject, charges: Charge[]): Promise<JsonObject> {
  const description = await describe(world, input);
  const keys = { ...(objectAt(input, 'Key') ?? objectAt(input, 'Item')) };
  return write(engine(name), world.store, input, (change) =>
    take(world, charges, writeCharges(description, keys, change)),
  );
}

async function getOne(world: World, input: JsonObject, charges: Charge[]): Promise<JsonObject> {
  const unit = unitOfWork(world.store);
  const result = await read(engine('GetItem'), unit.store, input);
  const description = await describe(world, input);
  const consistent = input['ConsistentRead'] === true;
  const key = objectAt(input, 'Key') ?? {};
  take(world, charges, [getCharge(description, key, unit.lastChange.before, { consistent })]);
  return result;
}

/** Query and Scan: the engine counts the bytes it looked at. */
async function look(world: World, name: 'Query' | 'Scan', input: JsonObject, charges: Charge[]): Promise<JsonObject> {
  const looking = engine(name);
  const { data, result } = await awsErrors(async () => {
    const data = looking.check({ ...input, ReturnConsumedCapacity: 'TOTAL' }, world.store);
    return { data, result: await looking.run(world.store, data) };
  });
  const description = await describe(world, input);
  const index = stringAt(input, 'IndexName');
  const schema = index === undefined ? description : indexNamed(description, index);
  const units = numberAt(objectAt(result, 'ConsumedCapacity') ?? {}, 'CapacityUnits') ?? 0;
  take(world, charges, [queryCharge(description, input, hashValue(data, schema), units)]);
  return result;
}

/** The value that a query's condition gives the partition key; undefined for a Scan. */
function hashValue(data: JsonObject, schema: JsonObject | undefined): Json | undefined {
  const condition = objectAt(objectAt(data, 'KeyConditions') ?? {}, schema === undefined ? '' : hashOf(schema));
  const values = condition?.['AttributeValueList'];
  return Array.isArray(values) ? values[0] : undefined;
}

const writes = (world: World, charges: Charge[]): OnItem => {
  return async (data, change) => {
    const description = await describe(world, data);
    const keys = objectAt(data, 'Key') ?? objectAt(data, 'Item') ?? {};
    take(world, charges, writeCharges(description, keys, change, 2));
  };
};

const reads = (world: World, charges: Charge[]): OnItem => {
  return async (data, { before }) => {
    const description = await describe(world, data);
    const key = objectAt(data, 'Key') ?? {};
    take(world, charges, [getCharge(description, key, before, { consistent: true, factor: 2 })]);
  };
};

/** One item of a batch, as a request of its own. */
interface Part {
  readonly table: string;
  /** As the batch names it, to be sent back. */
  readonly item: JsonObject;
  run(): Promise<JsonObject>;
}

/**
 * Runs the items of a batch one by one; those that chance or a key's limit refuses are `left`.
 * Throws ProvisionedThroughputExceededException when not a single one went through, as DynamoDB does.
 */
async function runParts(
  world: World,
  kind: Charge['kind'],
  parts: readonly Part[],
): Promise<{ done: { part: Part; result: JsonObject }[]; left: Part[] }> {
  const done: { part: Part; result: JsonObject }[] = [];
  const left: Part[] = [];
  let refusal: AwsError | undefined;
  for (const part of parts) {
    try {
      if (world.chance(world.options.unprocessedRate ?? 0)) throw throttled({ kind, table: part.table });
      done.push({ part, result: await part.run() });
    } catch (error) {
      if (!isThrottled(error)) throw error;
      refusal = error;
      left.push(part);
    }
  }
  if (done.length === 0 && refusal !== undefined) throw refusal;
  return { done, left };
}

async function batchWrite(world: World, input: JsonObject, charges: Charge[]): Promise<JsonObject> {
  // For what DynamoDB would refuse: a unit that is never kept.
  await read(engine('BatchWriteItem'), unitOfWork(world.store).store, structuredClone(input));
  const parts = batchParts(input, (table, request) => {
    const put = objectAt(request, 'PutRequest');
    const rest = put ?? objectAt(request, 'DeleteRequest') ?? {};
    return writeOne(world, put === undefined ? 'DeleteItem' : 'PutItem', { TableName: table, ...rest }, charges);
  });
  const { left } = await runParts(world, 'write', parts);
  const unprocessed: Record<string, Json[]> = {};
  for (const { table, item } of left) {
    unprocessed[table] ??= [];
    unprocessed[table].push(item);
  }
  return { UnprocessedItems: unprocessed };
}

function batchParts(input: JsonObject, run: (table: string, item: JsonObject) => Promise<JsonObject>): Part[] {
  return Object.entries(objectAt(input, 'RequestItems') ?? {}).flatMap(([table, items]) =>
    (Array.isArray(items) ? items : []).filter(isObject).map((item) => ({ table, item, run: () => run(table, item) })),
  );
}

async function batchGet(world: World, input: JsonObject, charges: Charge[]): Promise<JsonObject> {
  await read(engine('BatchGetItem'), world.store, structuredClone(input));
  const requested = Object.entries(objectAt(input, 'RequestItems') ?? {});
  const parts = requested.flatMap(([table, request]): Part[] => {
    const { Keys: keys, ...rest } = isObject(request) ? request : {};
    return (Array.isArray(keys) ? keys : [])
      .filter(isObject)
      .map((key) => ({ table, item: key, run: () => getOne(world, { TableName: table, ...rest, Key: key }, charges) }));
  });
  const { done, left } = await runParts(world, 'read', parts);
  const responses: Record<string, Json[]> = Object.fromEntries(requested.map(([table]) => [table, []]));
  for (const { part, result } of done) if (result['Item'] !== undefined) responses[part.table]?.push(result['Item']);
  const unprocessed: Record<string, JsonObject> = {};
  for (const [table, request] of requested) {
    const keys = left.filter((part) => part.table === table).map(({ item }) => item);
    if (keys.length > 0) unprocessed[table] = { ...(isObject(request) ? request : {}), Keys: keys };
  }
  return { Responses: responses, UnprocessedKeys: unprocessed };
}
