import { setTimeout as sleep } from 'node:timers/promises';
import { BatchWriteCommand, type BatchWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { Throttled } from '../../core/errors.ts';
import type { Key } from './keys.ts';
import type { Table } from './table.ts';

type Writes = NonNullable<BatchWriteCommandInput['RequestItems']>[string];

/** DynamoDB's limit for one request. */
const BATCH = 25;
const IN_FLIGHT = 4;

/** Milliseconds before what was sent back is tried again: doubled while nothing is taken. A key serves 1,000 writes a second. */
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2_000;
/** Batches in a row of which nothing was taken, until the table is taken for unable. */
const PATIENCE = 12;

/**
 * Unconditional, in no order, not all or nothing; what DynamoDB sends back, or refuses because a key is asked too much, is tried again
 * after a while.
 * @throws the SDK's error, also when for half a minute nothing is taken
 */
async function writeAll(table: Table, writes: Writes): Promise<void> {
  const waiting = [...writes];
  const work = async (): Promise<void> => {
    let inVain = 0;
    for (let batch = waiting.splice(0, BATCH); batch.length > 0; batch = waiting.splice(0, BATCH)) {
      const left = await leftOf(table, batch, inVain < PATIENCE);
      waiting.push(...left);
      inVain = left.length < batch.length ? 0 : inVain + 1;
      if (left.length > 0) await sleep(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** inVain) * (0.5 + Math.random()));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
}

/** What of a batch was not written. @throws the SDK's error; Throttled unless `isPatient` */
async function leftOf(table: Table, batch: Writes, isPatient: boolean): Promise<Writes> {
  try {
    const answer = await table.client.send(new BatchWriteCommand({ RequestItems: { [table.name]: batch } }));
    return answer.UnprocessedItems?.[table.name] ?? [];
  } catch (error) {
    if (isPatient && error instanceof Throttled) return batch;
    throw error;
  }
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
