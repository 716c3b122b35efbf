import { BatchWriteCommand, type BatchWriteCommandInput, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { expect, test } from 'vitest';
import type { Table } from '../../../../aws/dynamodb/table.ts';
import { createBatchRecords } from '../../../../aws/dynamodb/task-batches.ts';

type Deletes = NonNullable<BatchWriteCommandInput['RequestItems']>[string];

/** A table with batches of one task that refuses more than `accepted` writes of each request. */
function busyTable(keys: Set<string>, accepted: number): { readonly table: Table; readonly requests: number[] } {
  const requests: number[] = [];
  const remove = (writes: Deletes) => {
    requests.push(writes.length);
    for (const { DeleteRequest } of writes.slice(0, accepted)) keys.delete(String(DeleteRequest?.Key?.['sk']));
    return { UnprocessedItems: writes.length > accepted ? { t: writes.slice(accepted) } : {} };
  };
  const send = async (command: unknown) => {
    if (command instanceof BatchWriteCommand) return remove(command.input.RequestItems?.['t'] ?? []);
    if (!(command instanceof QueryCommand)) throw new TypeError('only queries and batches are expected');
    const Items = [...keys].map((sk) => ({ pk: 'TASK#id', sk, phase: 'render', batch: Number(sk.split('#')[2]) }));
    return { Items };
  };
  return { table: { name: 't', client: { send } } as unknown as Table, requests };
}

test.each([
  ['nothing comes back', 25],
  ['most of each request comes back', 3],
])('every batch of a task is removed when %s', async (_, accepted) => {
  const keys = new Set(Array.from({ length: 60 }, (_each, n) => `BATCH#render#${n}`));
  const { table, requests } = busyTable(keys, accepted);

  await createBatchRecords(table).removeBatches('id');

  expect([...keys]).toEqual([]);
  expect(Math.max(...requests)).toBeLessThanOrEqual(25);
});
