import { createHash } from 'node:crypto';
import { AwsError } from '../wire/aws-error.ts';
import { isObject, type Json, type JsonObject, numberAt, objectAt, stringAt } from '../wire/json.ts';
import { database, engine, promised, type Store, tableOf } from './engine.ts';
import { awsErrorOf, awsErrors, codeOf } from './errors.ts';
import { itemBytes } from './strict/item-size.ts';
import { type ItemChange, type UnitOfWork, unitOfWork } from './unit-of-work.ts';

/** Most items of one transaction, as on DynamoDB. */
const MAX_ITEMS = 100;
/** Most bytes of all items of one transaction, as on DynamoDB. */
const MAX_BYTES = 4 * 1024 * 1024;
/** How long a client token makes a repeated transaction a no-op, as on DynamoDB. */
const TOKEN_LIFE_MS = 10 * 60_000;
/** Prefix of remembered client tokens in the database. */
export const TOKEN_PREFIX = 'token~';

const ACTIONS: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'DeleteItem',
};

interface Part {
  kind: string;
  data: JsonObject;
  returnOld: boolean;
}

/** Told of each item that a transaction read, checked or changed, before anything is kept. What it throws cancels the transaction. */
export type OnItem = (data: JsonObject, change: ItemChange) => Promise<void>;

/**
 * TransactWriteItems: all items or none, in one LevelDB batch. Throws `TransactionCanceledException` with one reason per
 * item. The caller runs it alone (DynamoDB API Reference, TransactWriteItems).
 */
export async function transactWrite(store: Store, input: JsonObject, onItem?: OnItem): Promise<JsonObject> {
  const token = stringAt(input, 'ClientRequestToken');
  const fingerprint = createHash('sha256').update(JSON.stringify(input['TransactItems'])).digest('base64');
  if (token !== undefined && (await alreadyDone(store, token, fingerprint))) return {};
  const parts = itemsOf(input).map((item) => partOf(item, store));
  await refuseDuplicates(
    store,
    parts.map(({ data }) => data),
  );
  refuseTooMuch(parts.map(({ data }) => objectAt(data, 'Item') ?? {}));

  const unit = unitOfWork(store);
  const reasons: JsonObject[] = [];
  for (const part of parts) reasons.push(await attempt(unit, part, onItem));
  if (reasons.some((reason) => reason['Code'] !== 'None')) throw cancelled(reasons);
  if (token !== undefined) {
    unit.add({ type: 'put', key: TOKEN_PREFIX + token, value: { fingerprint, atMs: Date.now() } });
  }
  await unit.commit();
  return {};
}

/** TransactGetItems: a consistent read of up to 100 items; the caller keeps writers out. */
export async function transactGet(store: Store, input: JsonObject, onItem?: OnItem): Promise<JsonObject> {
  const responses: JsonObject[] = [];
  const unit = unitOfWork(store);
  const gets = itemsOf(input).map((item) => objectAt(item, 'Get'));
  if (!gets.every(isObject)) throw new AwsError('ValidationException', 'TransactItems: each item must have a Get');
  await refuseDuplicates(store, gets);
  for (const get of gets) {
    const result = await awsErrors(() => engine('GetItem').run(unit.store, engine('GetItem').check(get, store)));
    await onItem?.(get, unit.lastChange);
    responses.push(result['Item'] === undefined ? {} : { Item: result['Item'] });
  }
  refuseTooMuch(responses.map((response) => objectAt(response, 'Item') ?? {}));
  return { Responses: responses };
}

function itemsOf(input: JsonObject): JsonObject[] {
  const items = input['TransactItems'];
  if (!Array.isArray(items) || items.length === 0 || items.length > MAX_ITEMS) {
    const [shown, limit] =
      Array.isArray(items) && items.length > 0
        ? ['[...]', `less than or equal to ${MAX_ITEMS}`]
        : ['[]', 'greater than or equal to 1'];
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value '${shown}' at 'transactItems' failed to satisfy constraint: Member must have length ${limit}`,
    );
  }
  return items.filter(isObject);
}

function partOf(item: JsonObject, store: Store): Part {
  const kinds = Object.keys(item).filter((key) => ACTIONS[key] !== undefined);
  const kind = kinds[0];
  const request = kind === undefined ? undefined : objectAt(item, kind);
  if (kind === undefined || kinds.length !== 1 || request === undefined) {
    throw new AwsError('ValidationException', 'TransactItems can only contain one of Check, Put, Update or Delete');
  }
  const returnOld = request['ReturnValuesOnConditionCheckFailure'] === 'ALL_OLD';
  try {
    return { kind, data: engine(ACTIONS[kind] ?? '').check(request, store), returnOld };
  } catch (error) {
    throw awsErrorOf(error);
  }
}

/** Throws ValidationException when the items of a transaction are more bytes than it may have. */
function refuseTooMuch(items: readonly JsonObject[]): void {
  const bytes = items.reduce((sum, item) => sum + itemBytes(item), 0);
  if (bytes > MAX_BYTES)
    throw new AwsError('ValidationException', 'Collection size of items in transaction is above 4MB');
}

async function refuseDuplicates(store: Store, requests: readonly JsonObject[]): Promise<void> {
  const seen = new Set<string>();
  for (const data of requests) {
    const table = String(data['TableName']);
    const schema = await awsErrors(() => tableOf(store, table));
    const keys = objectAt(data, 'Key') ?? objectAt(data, 'Item') ?? {};
    const id = `${table}/${keyOf(keys, schema)}`;
    if (seen.has(id)) {
      throw new AwsError('ValidationException', 'Transaction request cannot include multiple operations on one item');
    }
    seen.add(id);
  }
}

function keyOf(item: JsonObject, schema: JsonObject): string {
  const names = Array.isArray(schema['KeySchema']) ? schema['KeySchema'].filter(isObject) : [];
  return JSON.stringify(names.map((key) => item[String(key['AttributeName'])] ?? null));
}

async function attempt(unit: UnitOfWork, part: Part, onItem: OnItem | undefined): Promise<JsonObject> {
  try {
    if (part.kind === 'ConditionCheck') await checkCondition(unit.store, part.data);
    else await engine(ACTIONS[part.kind] ?? '').run(unit.store, part.data);
    await onItem?.(part.data, unit.lastChange);
    return { Code: 'None' };
  } catch (error) {
    const { code, message } = awsErrorOf(error);
    const item = part.returnOld && code === 'ConditionalCheckFailedException' ? unit.lastChange.before : undefined;
    return { Code: codeOf(code), Message: message, ...(item === undefined ? {} : { Item: item }) };
  }
}

async function checkCondition(store: Store, data: JsonObject): Promise<void> {
  const name = String(data['TableName']);
  const key = objectAt(data, 'Key') ?? {};
  const table = await tableOf(store, name);
  const invalid = database.validateKey(key, table);
  if (invalid) throw invalid;
  const read = (callback: (error: unknown, item?: JsonObject) => void) =>
    store.getItemDb(name).get(database.createKey(key, table), callback);
  const failed = database.checkConditional(data, await promised<JsonObject | undefined>(read));
  if (failed) throw failed;
}

function cancelled(reasons: JsonObject[]): AwsError {
  const codes = reasons.map((reason) => String(reason['Code'])).join(', ');
  const text = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`;
  return new AwsError('TransactionCanceledException', text, 400, { CancellationReasons: reasons as Json[] });
}

async function alreadyDone(store: Store, token: string, fingerprint: string): Promise<boolean> {
  const known = await store.db.get(TOKEN_PREFIX + token);
  if (!isObject(known) || isTokenExpired(known)) return false;
  if (known['fingerprint'] === fingerprint) return true;
  throw new AwsError('IdempotentParameterMismatchException', 'the client token was used with another request');
}

/** True for a remembered client token that no longer matters. */
export const isTokenExpired = (record: JsonObject): boolean =>
  (numberAt(record, 'atMs') ?? 0) + TOKEN_LIFE_MS < Date.now();
