import {
  BatchWriteCommand,
  type BatchWriteCommandInput,
  GetCommand,
  type PutCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb';
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

  await createBatchRecords(table, { now: () => 0 }).removeBatches('id');

  expect([...keys]).toEqual([]);
  expect(Math.max(...requests)).toBeLessThanOrEqual(25);
});

test('a batch goes by itself two days after it was written, and does not tell', async () => {
  let Item: Record<string, unknown> = {};
  const send = async (command: PutCommand | GetCommand) => {
    if (command instanceof GetCommand) return { Item };
    Item = command.input.Item ?? {};
    return {};
  };
  const nowMs = 1_000_000;
  const batches = createBatchRecords({ name: 't', client: { send } } as unknown as Table, { now: () => nowMs });
  const batch = { ...{ taskId: 'id', phase: 'hash', batch: 0 }, bytesDone: 1, bytesTotal: 2, startedAtMs: 3, atMs: 4 };

  await batches.putBatch(batch);

  expect(Item['ttl']).toBe(nowMs / 1000 + 2 * 86_400);
  expect(await batches.batch('id', 'hash', 0)).toEqual(batch);
});
