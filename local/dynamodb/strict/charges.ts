import { isObject, type Json, type JsonObject, objectAt, stringAt } from '../../wire/json.ts';
import type { ItemChange } from '../unit-of-work.ts';
import { itemBytes } from './item-size.ts';

/** Units that one request takes from one key of a table or of one of its indexes. */
export interface Charge {
  readonly kind: 'read' | 'write';
  readonly table: string;
  /** Absent for the table itself. */
  readonly index?: string;
  /** The partition key's value as text. */
  readonly key: string;
  readonly units: number;
}

const READ_UNIT_BYTES = 4096;
const WRITE_UNIT_BYTES = 1024;

/** Units of a read of so many bytes, at least those of one block; an eventually consistent one costs half. */
export const readUnits = (bytes: number, consistent: boolean): number =>
  Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)) * (consistent ? 1 : 0.5);

/** Units of a write of so many bytes, at least those of one block. */
const writeUnits = (bytes: number): number => Math.max(1, Math.ceil(bytes / WRITE_UNIT_BYTES));

const sizeOf = (item: JsonObject | undefined): number => (item === undefined ? 0 : itemBytes(item));

/**
 * What a write of one item costs: the larger of the item before and after, in blocks of 1 KiB, and the same for each index whose
 * entry it changes. `keys` are the item's, for one that neither was nor is; `factor` is 2 in a transaction.
 * Source: DynamoDB Developer Guide, "DynamoDB read and write operations", "Provisioned throughput considerations for global secondary indexes".
 */
export function writeCharges(description: JsonObject, keys: JsonObject, change: ItemChange, factor = 1): Charge[] {
  const table = String(description['TableName']);
  const hash = hashOf(description);
  const own = {
    kind: 'write',
    table,
    key: keyText(keys[hash]),
    units: factor * writeUnits(Math.max(sizeOf(change.before), sizeOf(change.after))),
  } as const;
  return [own, ...indexesOf(description).flatMap((index) => indexCharges(description, index, change, factor))];
}

/** An entry that moves to another key is written twice: taken away there, put here. One that stays as it is costs nothing. */
function indexCharges(description: JsonObject, index: JsonObject, change: ItemChange, factor: number): Charge[] {
  const before = entryOf(description, index, change.before);
  const after = entryOf(description, index, change.after);
  if (sameJson(before, after)) return [];
  const name = { table: String(description['TableName']), index: String(index['IndexName']) };
  const hash = hashOf(index);
  const charge = (entry: JsonObject, bytes: number): Charge => ({
    kind: 'write',
    ...name,
    key: keyText(entry[hash]),
    units: factor * writeUnits(bytes),
  });
  if (before === undefined) return after === undefined ? [] : [charge(after, itemBytes(after))];
  if (after === undefined) return [charge(before, itemBytes(before))];
  const names = keyNames(index);
  const stays = names.every((attribute) => sameJson(before[attribute], after[attribute]));
  if (stays) return [charge(after, Math.max(itemBytes(before), itemBytes(after)))];
  return [charge(before, itemBytes(before)), charge(after, itemBytes(after))];
}

/** What an index holds of an item; undefined for one that lacks a key of the index. */
function entryOf(description: JsonObject, index: JsonObject, item: JsonObject | undefined): JsonObject | undefined {
  if (item === undefined) return undefined;
  const keys = [...keyNames(description), ...keyNames(index)];
  if (keys.some((name) => item[name] === undefined)) return undefined;
  const projection = objectAt(index, 'Projection') ?? {};
  if (projection['ProjectionType'] === 'ALL') return item;
  const more = Array.isArray(projection['NonKeyAttributes']) ? projection['NonKeyAttributes'].map(String) : [];
  const names = new Set([...keys, ...more]);
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.has(name)));
}

/** What a read of one item costs. A transaction reads twice, consistently. */
export function getCharge(
  description: JsonObject,
  key: JsonObject,
  item: JsonObject | undefined,
  { consistent, factor = 1 }: { consistent: boolean; factor?: number },
): Charge {
  return {
    kind: 'read',
    table: String(description['TableName']),
    key: keyText(key[hashOf(description)]),
    units: factor * readUnits(sizeOf(item), consistent),
  };
}

/** The charge of a Query or Scan: all items it looked at together, whatever the filter let through. A Scan is on every key. */
export function queryCharge(
  description: JsonObject,
  input: JsonObject,
  hashValue: Json | undefined,
  units: number,
): Charge {
  const index = stringAt(input, 'IndexName');
  return {
    kind: 'read',
    table: String(description['TableName']),
    ...(index === undefined ? {} : { index }),
    key: hashValue === undefined ? '*' : keyText(hashValue),
    units: Math.max(readUnits(0, input['ConsistentRead'] === true), units),
  };
}

/** The name of the partition key of a table or an index. */
export const hashOf = (schema: JsonObject): string =>
  keySchema(schema)
    .find((key) => key['KeyType'] === 'HASH')
    ?.['AttributeName']?.toString() ?? '';

/** The index of that name in a table's description. */
export const indexNamed = (description: JsonObject, name: string): JsonObject | undefined =>
  indexesOf(description).find((index) => index['IndexName'] === name);

const indexesOf = (description: JsonObject): JsonObject[] =>
  ['GlobalSecondaryIndexes', 'LocalSecondaryIndexes'].flatMap((kind) => objectsAt(description, kind));

const keySchema = (schema: JsonObject): JsonObject[] => objectsAt(schema, 'KeySchema');
const keyNames = (schema: JsonObject): string[] => keySchema(schema).map((key) => String(key['AttributeName']));

function objectsAt(object: JsonObject, key: string): JsonObject[] {
  const value = object[key];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

const keyText = (value: Json | undefined): string => String(isObject(value) ? Object.values(value)[0] : value);

const sameJson = (a: Json | undefined, b: Json | undefined): boolean => JSON.stringify(a) === JSON.stringify(b);
