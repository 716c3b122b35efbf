/**
 * What one second of a large import takes of DynamoDB: 200 workers, each with a batch of its own, of 1,000. The clock is the test's and
 * stands still, however long this machine needs: the units are those of one second on AWS. One worker in ten is played, and its units
 * count ten times.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDutyRepository } from '../../aws/dynamodb/duties.ts';
import { createImageRepository } from '../../aws/dynamodb/images.ts';
import { createTaskRepository } from '../../aws/dynamodb/tasks.ts';
import { underLock } from '../../bytes/imports/step.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import { reporter } from '../../core/imports/report/reporter.ts';
import type { BatchProgress } from '../../core/tasks/task.ts';
import type { KeyReport } from '../../local/dynamodb/strict/meter.ts';
import { anImage } from '../support/images.ts';
import { memoryDeps } from '../support/memory/deps.ts';
import { startTable, type TestTable } from '../support/table.ts';
import { aTask } from '../support/tasks.ts';

const WORKERS = 200;
const PLAYED = 20;
const BATCHES = 1000;
const BATCH_BYTES = 128 * 1024 ** 2;
const TASK_ID = 'a1b2c3d4-0000-4000-8000-000000000000';
/** Of one key in one second: DynamoDB Developer Guide, "Best practices for designing and using partition keys effectively". */
const MOST = { read: 3000, write: 1000 };
/** Counted, not refused: the test wants to know how much it is. */
const COUNTING = { dynamodb: { readUnitsPerKey: Number.MAX_SAFE_INTEGER, writeUnitsPerKey: Number.MAX_SAFE_INTEGER } };

let database: TestTable;
const image = anImage({ lock: TASK_ID, properties: { description: 'x'.repeat(18 * 1024) } });

const time = { nowMs: Date.parse('2026-05-05T00:00:00Z') };
const clock = { now: () => time.nowMs };
const batchOf = (batch: number): BatchProgress => ({
  ...{ taskId: TASK_ID, phase: 'render', batch, bytesDone: BATCH_BYTES / 2, bytesTotal: BATCH_BYTES },
  ...{ startedAtMs: time.nowMs, atMs: time.nowMs, earlier: { bytesDone: 0, atMs: time.nowMs } },
});
const task = aTask({
  ...{ id: TASK_ID, status: 'processing', imageId: image.id, userId: null, input: {} },
  ...{ createdAt: '2026-05-05T00:00:00Z', updatedAt: '2026-05-05T00:00:00Z' },
  facts: { work: { render: BATCHES * BATCH_BYTES } },
  import: { method: { name: 'glance-direct' }, stores: ['central'], allStoresMustSucceed: true } as never,
});

beforeAll(async () => {
  database = await startTable(COUNTING);
  await createImageRepository(database.table, { clock }).create(image);
  const tasks = createTaskRepository(database.table, clock);
  await tasks.create(task);
  for (let at = 0; at < BATCHES; at += 50)
    await Promise.all(Array.from({ length: 50 }, (_, n) => tasks.putBatch(batchOf(at + n))));
});
afterAll(() => database.close());

const ports = () => ({
  clock,
  tasks: createTaskRepository(database.table, clock),
  images: createImageRepository(database.table, { clock }),
  duties: createDutyRepository(database.table),
  log: memoryDeps().log,
  bytes: memoryDeps().bytes,
});

/** What the workers of a second take of each key. */
async function unitsOf(work: (deps: ReturnType<typeof ports>, worker: number) => Promise<void>): Promise<KeyReport[]> {
  const deps = ports();
  database.meter?.reset();
  for (let worker = 0; worker < PLAYED; worker++) await work(deps, worker);
  return [...(database.meter?.report() ?? [])];
}

/** Units of all workers on keys that have more than a key serves. */
const overIn = (keys: readonly KeyReport[], kind: 'read' | 'write') =>
  keys
    .map(({ index = 'table', key, readUnits, writeUnits }) => ({
      key: `${index} ${key}`,
      units: (WORKERS / PLAYED) * (kind === 'read' ? readUnits : writeUnits),
    }))
    .filter(({ units }) => units > MOST[kind]);

/** Each worker writes its batch's record, and what goes with it. */
const oneSecond = () =>
  unitsOf(({ bytes, ...deps }, worker) =>
    reporter(deps, task as ImportTask, 'render', worker, BATCH_BYTES).add(BATCH_BYTES / 4),
  );

/** Each worker does a whole batch, from the lock to the lock, and asks for it before each slice that it writes. */
const oneBatchEach = () =>
  unitsOf(async (deps, worker) => {
    await underLock(deps, { taskId: TASK_ID, imageId: image.id }, async (started, guard) => {
      await deps.tasks.batch(TASK_ID, 'render', worker);
      const report = reporter(deps, started, 'render', worker, BATCH_BYTES);
      for (let slice = 0; slice < 8; slice++) {
        await guard();
        await report.add(BATCH_BYTES / 8);
      }
      await report.end();
    });
  });

describe('one second of 200 workers on 1,000 batches', () => {
  let keys: KeyReport[];
  beforeAll(async () => {
    keys = await oneSecond();
  });
  const over = (kind: 'read' | 'write') => overIn(keys, kind);

  it('reads no key more than it serves', () => {
    expect(over('read')).toEqual([]);
  });

  it('writes no key more than it serves', () => {
    expect(over('write')).toEqual([]);
  });

  it('writes each worker its own batch', () => {
    expect(keys.find(({ key, index }) => index === undefined && key === `TASK#${TASK_ID}`)?.writeUnits).toBe(PLAYED);
  });
});

describe('200 batches in one second, each from its begin to its end', () => {
  it('takes of no key more than it serves', async () => {
    time.nowMs += 1000;
    const keys = await oneBatchEach();

    expect({ read: overIn(keys, 'read'), write: overIn(keys, 'write') }).toEqual({ read: [], write: [] });
  });
});
