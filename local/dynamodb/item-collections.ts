import { isObject, type Json, type JsonObject } from '../wire/json.ts';

/**
 * `ItemCollectionMetrics` of a write that asked for them: the partition of a table with local indexes, and between which sizes it
 * is, in GB. What lies here is small, so it is between 0 and 1. Undefined for a table without local indexes.
 */
export function itemCollectionMetrics(table: JsonObject, item: JsonObject): JsonObject | undefined {
  const { LocalSecondaryIndexes, KeySchema } = table;
  if (!Array.isArray(LocalSecondaryIndexes) || LocalSecondaryIndexes.length === 0) return undefined;
  const hash = (KeySchema as Json[]).filter(isObject).find(({ KeyType }) => KeyType === 'HASH');
  const name = String(hash?.['AttributeName']);
  return { ItemCollectionKey: { [name]: item[name] ?? null }, SizeEstimateRangeGB: [0, 1] };
}
