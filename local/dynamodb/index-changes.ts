import { AwsError } from '../wire/aws-error.ts';
import { isObject, type Json, type JsonObject, objectAt, stringAt } from '../wire/json.ts';
import { database, engine, promised, type Store, tableOf } from './engine.ts';
import { awsErrors } from './errors.ts';
import { indexPrefix, itemPrefix } from './unit-of-work.ts';

/** Where dynalite keeps what a table is. */
const TABLE_PREFIX = 'table~';
/** Items read at a time, and entries of an index deleted in one batch. */
const PAGE = 256;
const NO_THROUGHPUT = { ReadCapacityUnits: 0, WriteCapacityUnits: 0, NumberOfDecreasesToday: 0 };

const updatesOf = (input: JsonObject): JsonObject[] => objectsOf(input['GlobalSecondaryIndexUpdates']);
const objectsOf = (list: Json | undefined): JsonObject[] => (Array.isArray(list) ? list.filter(isObject) : []);

/** True for an UpdateTable that adds or removes an index, which dynalite answers and does not do. */
export const changesIndexes = (input: JsonObject): boolean =>
  updatesOf(input).some((update) => isObject(update['Create']) || isObject(update['Delete']));

/**
 * UpdateTable that adds or removes one global secondary index: done when it is answered, the items that are there in the new
 * index. Throws ValidationException, ResourceNotFoundException, LimitExceededException. The caller runs it alone.
 */
export async function changeIndexes(store: Store, input: JsonObject): Promise<JsonObject> {
  const name = String(input['TableName']);
  await awsErrors(async () => engine('UpdateTable').check(withThroughput(input), store));
  const table = structuredClone(await awsErrors(() => tableOf(store, name)));
  const changes = updatesOf(input).filter((update) => update['Update'] === undefined);
  if (changes.length > 1) {
    throw new AwsError(
      'LimitExceededException',
      'Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table',
    );
  }
  const [change = {}] = changes;
  const created = objectAt(change, 'Create');
  const changed =
    created === undefined
      ? withoutIndex(table, String(objectAt(change, 'Delete')?.['IndexName']))
      : withIndex(table, created, objectsOf(input['AttributeDefinitions']));
  if (created === undefined) await forget(store, name, String(objectAt(change, 'Delete')?.['IndexName']));
  else await fill(store, { ...changed, LocalSecondaryIndexes: [], GlobalSecondaryIndexes: [created] });
  await store.db.batch([{ type: 'put', key: TABLE_PREFIX + name, value: changed }]);
  return { TableDescription: changed };
}

/** Dynalite asks for the throughput of a new index, of tables that are paid by the request too. */
function withThroughput(input: JsonObject): JsonObject {
  const throughput = { ReadCapacityUnits: 1, WriteCapacityUnits: 1 };
  return {
    ...input,
    GlobalSecondaryIndexUpdates: updatesOf(input).map((update) => {
      const created = objectAt(update, 'Create');
      return created === undefined ? update : { ...update, Create: { ProvisionedThroughput: throughput, ...created } };
    }),
  };
}

const indexesOf = (table: JsonObject): JsonObject[] => objectsOf(table['GlobalSecondaryIndexes']);

function withoutIndex(table: JsonObject, name: string): JsonObject {
  const kept = indexesOf(table).filter((index) => index['IndexName'] !== name);
  if (kept.length === indexesOf(table).length) {
    throw new AwsError('ResourceNotFoundException', 'Requested resource not found');
  }
  const { GlobalSecondaryIndexes: _, ...rest } = table;
  return kept.length === 0 ? rest : { ...rest, GlobalSecondaryIndexes: kept };
}

function withIndex(table: JsonObject, created: JsonObject, given: readonly JsonObject[]): JsonObject {
  const name = stringAt(created, 'IndexName') ?? '';
  if (indexesOf(table).some((index) => index['IndexName'] === name)) {
    throw new AwsError('ValidationException', `Attempting to create an index which already exists: ${name}`);
  }
  const known = objectsOf(table['AttributeDefinitions']);
  const added = given.filter((one) => !known.some((other) => other['AttributeName'] === one['AttributeName']));
  const AttributeDefinitions = [...known, ...added];
  const undefinedKeys = objectsOf(created['KeySchema'])
    .map((key) => String(key['AttributeName']))
    .filter((key) => !AttributeDefinitions.some((one) => one['AttributeName'] === key));
  if (undefinedKeys.length > 0) {
    throw new AwsError(
      'ValidationException',
      'One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. ' +
        `Keys: [${undefinedKeys.join(', ')}]`,
    );
  }
  const throughput = { ...NO_THROUGHPUT, ...objectAt(created, 'ProvisionedThroughput') };
  const facts = { IndexStatus: 'ACTIVE', IndexSizeBytes: 0, ItemCount: 0 };
  const IndexArn = `${String(table['TableArn'])}/index/${name}`;
  const index = { ...created, ...facts, IndexArn, ProvisionedThroughput: throughput };
  return { ...table, AttributeDefinitions, GlobalSecondaryIndexes: [...indexesOf(table), index] };
}

/** Writes the entries of all items into the indexes of `table`, which are the new ones only. */
async function fill(store: Store, table: JsonObject): Promise<void> {
  const types = new Map(
    objectsOf(table['AttributeDefinitions']).map((one) => [String(one['AttributeName']), String(one['AttributeType'])]),
  );
  const keys = indexesOf(table).flatMap((index) =>
    objectsOf(index['KeySchema']).map((key) => String(key['AttributeName'])),
  );
  const belongs = (item: JsonObject): boolean =>
    keys.every((key) => objectAt(item, key)?.[types.get(key) ?? ''] !== undefined);
  const values = store.db.values(range(itemPrefix(String(table['TableName']))));
  try {
    for (let page = await values.nextv(PAGE); page.length > 0; page = await values.nextv(PAGE)) {
      for (const item of page.filter(isObject).filter(belongs)) {
        await promised<void>((callback) => database.updateIndexes(store, table, undefined, item, callback));
      }
    }
  } finally {
    await values.close();
  }
}

async function forget(store: Store, table: string, index: string): Promise<void> {
  const keys: string[] = [];
  for await (const [key] of store.db.iterator(range(indexPrefix('Global', table, index)))) keys.push(key);
  for (let at = 0; at < keys.length; at += PAGE) {
    await store.db.batch(keys.slice(at, at + PAGE).map((key) => ({ type: 'del', key })));
  }
}

const range = (prefix: string): { gte: string; lt: string } => ({ gte: prefix, lt: `${prefix}\xff` });
