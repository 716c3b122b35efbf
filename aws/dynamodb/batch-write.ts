import { BatchWriteCommand, type BatchWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Key } from './keys.ts';
import type { Table } from './table.ts';

type Writes = NonNullable<BatchWriteCommandInput['RequestItems']>[string];

/** DynamoDB's limit for one request. */
const BATCH = 25;
const IN_FLIGHT = 4;

/** Unconditional, in no order, not all or nothing; what DynamoDB sends back is tried again by the next batch. */
async function writeAll(table: Table, writes: Writes): Promise<void> {
  const waiting = [...writes];
  const work = async (): Promise<void> => {
    for (let batch = waiting.splice(0, BATCH); batch.length > 0; batch = waiting.splice(0, BATCH)) {
      const answer = await table.client.send(new BatchWriteCommand({ RequestItems: { [table.name]: batch } }));
      waiting.push(...(answer.UnprocessedItems?.[table.name] ?? []));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
}

export function putAll(table: Table, items: readonly Record<string, unknown>[]): Promise<void> {
  return writeAll(
    table,
    items.map((Item) => ({ PutRequest: { Item } })),
  );
}

export function deleteAll(table: Table, keys: readonly Key[]): Promise<void> {
  return writeAll(
    table,
    keys.map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } } })),
  );
}
