/** The records behind a worker's beat: who of many rolls up, and what a worker finds of its own batch. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDutyRepository } from '../../aws/dynamodb/duties.ts';
import { createTaskRepository } from '../../aws/dynamodb/tasks.ts';
import type { Duty } from '../../core/duties/duty.ts';
import { startTable, type TestTable } from '../support/table.ts';

let database: TestTable;
beforeAll(async () => {
  database = await startTable();
});
afterAll(() => database.close());

const duty = (id: string, dueAtMs: number): Duty => ({ id, kind: 'task', imageId: 'i', writeId: id, dueAtMs });

it.each<[string, number | undefined, number, boolean]>([
  ['there is none', undefined, 900, true],
  ['it is due earlier', 800, 900, true],
  ['it is due just then', 900, 900, true],
  ['it is due later', 901, 900, false],
])('a duty is postponed when %s', async (name, dueAtMs, lateEnoughMs, isPut) => {
  const duties = createDutyRepository(database.table);
  if (dueAtMs !== undefined) await duties.put(duty(name, dueAtMs));

  expect(await duties.postpone(duty(name, 1000), lateEnoughMs)).toBe(isPut);

  await database.indexed();
  const found = (await duties.due(Number.MAX_SAFE_INTEGER, 100)).find(({ id }) => id === name);
  expect(found?.dueAtMs).toBe(isPut ? 1000 : dueAtMs);
});

it('of many at the same moment one postpones a duty', async () => {
  const duties = createDutyRepository(database.table);

  const outcomes = await Promise.all(Array.from({ length: 20 }, () => duties.postpone(duty('many', 1000), 900)));

  expect(outcomes.filter(Boolean)).toHaveLength(1);
});

it('a batch is found by its phase and number', async () => {
  const tasks = createTaskRepository(database.table, { now: () => 0 });
  const record = {
    ...{ taskId: 't', phase: 'render', batch: 7, bytesDone: 1, bytesTotal: 2, startedAtMs: 3, atMs: 4 },
    earlier: { bytesDone: 0, atMs: 3 },
  };
  await tasks.putBatch(record);

  expect(await tasks.batch('t', 'render', 7)).toMatchObject(record);
  expect(await tasks.batch('t', 'render', 8)).toBeUndefined();
  expect(await tasks.batch('t', 'hash', 7)).toBeUndefined();
});
