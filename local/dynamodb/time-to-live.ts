import { AwsError, required } from '../wire/aws-error.ts';
import { isObject, type JsonObject, objectAt, stringAt } from '../wire/json.ts';
import { engine, type Store, tableOf } from './engine.ts';
import { awsErrorOf, awsErrors } from './errors.ts';
import { isTokenExpired, TOKEN_PREFIX } from './transactions.ts';
import { itemPrefix, unitOfWork } from './unit-of-work.ts';

const TTL_PREFIX = 'ttl~';
/** Items read between two turns of the event loop. */
const SWEEP_PAGE = 256;

/** Runs a write when no other write is running. */
export type Alone = <T>(run: () => Promise<T>) => Promise<T>;

/** UpdateTimeToLive: which attribute holds an item's expiry in seconds since the epoch. */
export async function updateTimeToLive(store: Store, input: JsonObject): Promise<JsonObject> {
  const table = await existingTable(store, input);
  const spec = objectAt(input, 'TimeToLiveSpecification');
  const attribute = spec === undefined ? undefined : stringAt(spec, 'AttributeName');
  if (spec === undefined || attribute === undefined || attribute === '') {
    throw new AwsError('ValidationException', 'TimeToLiveSpecification with AttributeName is required');
  }
  const key = TTL_PREFIX + table;
  if (spec['Enabled'] === true) await store.db.batch([{ type: 'put', key, value: attribute }]);
  else await store.db.batch([{ type: 'del', key }]);
  return { TimeToLiveSpecification: { AttributeName: attribute, Enabled: spec['Enabled'] === true } };
}

/** DescribeTimeToLive. */
export async function describeTimeToLive(store: Store, input: JsonObject): Promise<JsonObject> {
  const attribute = await store.db.get(TTL_PREFIX + (await existingTable(store, input)));
  return {
    TimeToLiveDescription:
      typeof attribute === 'string'
        ? { TimeToLiveStatus: 'ENABLED', AttributeName: attribute }
        : { TimeToLiveStatus: 'DISABLED' },
  };
}

/**
 * Deletes items whose time is up, and client tokens that no longer matter. Returns how many items went. DynamoDB takes up
 * to days for it; nothing may rely on it being prompt.
 */
export async function sweepExpired(store: Store, alone: Alone): Promise<number> {
  let swept = 0;
  for await (const [key, attribute] of store.db.iterator(range(TTL_PREFIX))) {
    swept += await sweepTable(store, alone, key.slice(TTL_PREFIX.length), String(attribute));
  }
  for await (const [key, record] of store.db.iterator(range(TOKEN_PREFIX))) {
    if (isObject(record) && isTokenExpired(record)) await store.db.batch([{ type: 'del', key }]);
  }
  return swept;
}

async function sweepTable(store: Store, alone: Alone, table: string, attribute: string): Promise<number> {
  const schema = await tableOf(store, table).catch(() => undefined);
  const names =
    schema === undefined ? [] : (schema['KeySchema'] as JsonObject[]).map((key) => String(key['AttributeName']));
  const values = store.db.values(range(itemPrefix(table)));
  let swept = 0;
  try {
    for (let page = await values.nextv(SWEEP_PAGE); page.length > 0; page = await values.nextv(SWEEP_PAGE)) {
      for (const item of page.filter((one) => isExpired(one, attribute)).filter(isObject)) {
        const key = Object.fromEntries(names.map((name) => [name, item[name] ?? null]));
        if (await alone(() => deleteIfExpired(store, table, key, attribute))) swept++;
      }
    }
  } finally {
    await values.close();
  }
  return swept;
}

/** An item may have been prolonged since the sweep read it, so the deletion is conditional. */
async function deleteIfExpired(store: Store, table: string, key: JsonObject, attribute: string): Promise<boolean> {
  const unit = unitOfWork(store);
  const request = {
    TableName: table,
    Key: key,
    ConditionExpression: '#ttl < :now',
    ExpressionAttributeNames: { '#ttl': attribute },
    ExpressionAttributeValues: { ':now': { N: String(Math.floor(Date.now() / 1000)) } },
  };
  try {
    await engine('DeleteItem').run(unit.store, engine('DeleteItem').check(request, store));
    await unit.commit();
    return true;
  } catch (error) {
    if (awsErrorOf(error).code === 'ConditionalCheckFailedException') return false;
    throw error;
  }
}

function isExpired(item: unknown, attribute: string): boolean {
  const value = isObject(item) ? objectAt(item, attribute) : undefined;
  const seconds = value === undefined ? undefined : stringAt(value, 'N');
  return seconds !== undefined && Number(seconds) * 1000 < Date.now();
}

const range = (prefix: string): { gte: string; lt: string } => ({ gte: prefix, lt: `${prefix}\xff` });

async function existingTable(store: Store, input: JsonObject): Promise<string> {
  const name = required(input, 'TableName');
  await awsErrors(() => tableOf(store, name));
  return name;
}
