import { isObject, type Json, type JsonObject, objectAt, stringAt } from '../wire/json.ts';
import type { Access } from './evaluate.ts';

/** Name of the partition key of a table, or of one of its indexes; undefined for one that is not there. */
export type PartitionKeyOf = (table: string, index?: string) => Promise<string | undefined>;

const HERE = 'us-east-1:000000000000';

/** What a call of a JSON service does, by what stands before the dot of its target. Source: Service Authorization Reference. */
export async function jsonAccess(
  service: string,
  operation: string,
  input: JsonObject,
  partitionKeyOf: PartitionKeyOf,
): Promise<Access[]> {
  if (service === 'DynamoDB_20120810') return dynamoDbAccess(operation, input, partitionKeyOf);
  if (service === 'AWSStepFunctions') return [stepFunctionsAccess(operation, input)];
  return [eventBridgeAccess(operation, input)];
}

const tableArn = (table: string): string =>
  table.startsWith('arn:') ? table : `arn:aws:dynamodb:${HERE}:table/${table}`;

/** Items of a transaction by the action that each needs: a transaction has none of its own. */
const ITEM_ACTIONS: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
  Get: 'GetItem',
};

async function dynamoDbAccess(operation: string, input: JsonObject, keyOf: PartitionKeyOf): Promise<Access[]> {
  const access = async (
    action: string,
    table: string,
    keys: readonly JsonObject[],
    index?: string,
  ): Promise<Access> => {
    const hash = (await keyOf(table, index)) ?? '';
    const leading = keys.flatMap((key) => textOf(key[hash]) ?? []);
    return {
      action: `dynamodb:${action}`,
      resource: index === undefined ? tableArn(table) : `${tableArn(table)}/index/${index}`,
      context: leading.length === 0 ? {} : { 'dynamodb:leadingkeys': leading },
    };
  };
  const items = input['TransactItems'];
  if (Array.isArray(items)) {
    const parts = items.filter(isObject).flatMap((item) => Object.entries(item));
    return Promise.all(
      parts.map(([kind, request]) =>
        access(ITEM_ACTIONS[kind] ?? kind, stringAt(objectOf(request), 'TableName') ?? '', keysOf(objectOf(request))),
      ),
    );
  }
  const requested = objectAt(input, 'RequestItems');
  if (requested !== undefined) {
    const tables = Object.entries(requested);
    return Promise.all(tables.map(([table, batch]) => access(operation, table, batchKeys(batch))));
  }
  const table = stringAt(input, 'TableName');
  if (table === undefined) return [{ action: `dynamodb:${operation}`, resource: '*' }];
  if (operation !== 'Query') return [await access(operation, table, keysOf(input), stringAt(input, 'IndexName'))];
  const index = stringAt(input, 'IndexName');
  return [await access(operation, table, [await queriedKey(input, table, keyOf, index)], index)];
}

const objectOf = (value: Json): JsonObject => (isObject(value) ? value : {});

const keysOf = (request: JsonObject): JsonObject[] =>
  [objectAt(request, 'Key'), objectAt(request, 'Item')].filter((key) => key !== undefined);

/** BatchGetItem has keys, BatchWriteItem a list of puts and deletes. */
function batchKeys(batch: Json): JsonObject[] {
  if (Array.isArray(batch))
    return batch
      .filter(isObject)
      .flatMap((one) => Object.values(one).map(objectOf))
      .flatMap(keysOf);
  const keys = objectOf(batch)['Keys'];
  return Array.isArray(keys) ? keys.filter(isObject) : [];
}

/** The partition key that a condition such as `#pk = :pk AND …` asks for. */
async function queriedKey(
  input: JsonObject,
  table: string,
  keyOf: PartitionKeyOf,
  index: string | undefined,
): Promise<JsonObject> {
  const hash = (await keyOf(table, index)) ?? '';
  const names = objectAt(input, 'ExpressionAttributeNames') ?? {};
  const values = objectAt(input, 'ExpressionAttributeValues') ?? {};
  const equalities = (stringAt(input, 'KeyConditionExpression') ?? '').matchAll(/([#\w]+)\s*=\s*(:\w+)/g);
  for (const [, name = '', value = ''] of equalities)
    if ((names[name] ?? name) === hash) return { [hash]: values[value] ?? null };
  return {};
}

function textOf(value: Json | undefined): string | undefined {
  return isObject(value ?? null) ? String(Object.values(value as JsonObject)[0]) : undefined;
}

/** Each is on the machine or the execution it names; task tokens belong to no resource. */
function stepFunctionsAccess(operation: string, input: JsonObject): Access {
  const name = stringAt(input, 'name');
  const resource =
    stringAt(input, 'executionArn') ??
    stringAt(input, 'stateMachineArn') ??
    (operation === 'CreateStateMachine' && name !== undefined ? `arn:aws:states:${HERE}:stateMachine:${name}` : '*');
  return { action: `states:${operation}`, resource };
}

/** PutEvents is on the bus of its entries, everything else on a rule. */
function eventBridgeAccess(operation: string, input: JsonObject): Access {
  const rule = stringAt(input, 'Name') ?? stringAt(input, 'Rule');
  const action = `events:${operation}`;
  if (operation !== 'PutEvents')
    return { action, resource: rule === undefined ? '*' : `arn:aws:events:${HERE}:rule/${rule}` };
  const entries = input['Entries'];
  const [first] = Array.isArray(entries) ? entries.filter(isObject) : [];
  const bus = stringAt(first ?? {}, 'EventBusName') ?? 'default';
  return { action, resource: bus.startsWith('arn:') ? bus : `arn:aws:events:${HERE}:event-bus/${bus}` };
}
