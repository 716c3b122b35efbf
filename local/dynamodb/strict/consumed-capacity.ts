import { type Json, type JsonObject, stringAt } from '../../wire/json.ts';
import type { Charge } from './charges.ts';

/**
 * The member ConsumedCapacity of an answer: undefined unless the client asked by ReturnConsumedCapacity; one object for a request on
 * one table, a list for batches and transactions. Source: DynamoDB API Reference, ConsumedCapacity.
 */
export function consumedCapacity(input: JsonObject, charges: readonly Charge[]): Json | undefined {
  const detail = stringAt(input, 'ReturnConsumedCapacity') ?? 'NONE';
  if (detail === 'NONE') return undefined;
  const tables = [...new Set(charges.map(({ table }) => table))];
  const perTable = tables.map((table) => ofTable(table, charges, detail === 'INDEXES'));
  return input['TableName'] === undefined ? perTable : (perTable[0] ?? {});
}

function ofTable(table: string, charges: readonly Charge[], withIndexes: boolean): JsonObject {
  const own = charges.filter((charge) => charge.table === table);
  const total = { TableName: table, CapacityUnits: unitsOf(own) };
  if (!withIndexes) return total;
  const names = [...new Set(own.flatMap(({ index }) => index ?? []))];
  const indexes = names.map((name) => [name, { CapacityUnits: unitsOf(own.filter(({ index }) => index === name)) }]);
  return {
    ...total,
    Table: { CapacityUnits: unitsOf(own.filter(({ index }) => index === undefined)) },
    ...(names.length === 0 ? {} : { GlobalSecondaryIndexes: Object.fromEntries(indexes) as JsonObject }),
  };
}

const unitsOf = (charges: readonly Charge[]): number => charges.reduce((sum, { units }) => sum + units, 0);
