import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TaskRepository } from '../../../core/tasks/repository.ts';
import type { BatchProgress, Task } from '../../../core/tasks/task.ts';
import { aTask } from '../tasks.ts';

export interface OpenTasks {
  readonly tasks: TaskRepository;
  /** The repository's clock. */
  readonly time: { nowMs: number };
  /** Waits until indexes have seen every write. */
  indexed(): Promise<void>;
  close(): Promise<void>;
}

const aBatch = (taskId: string, more: Partial<BatchProgress> = {}): BatchProgress => ({
  ...{ taskId, phase: 'render', batch: 0, bytesDone: 1, bytesTotal: 2, startedAtMs: 1, atMs: 2 },
  ...more,
});

/** What every TaskRepository does. */
export function taskRepositorySuite(open: () => Promise<OpenTasks>): void {
  let opened: OpenTasks;
  let tasks: TaskRepository;
  beforeAll(async () => {
    opened = await open();
    tasks = opened.tasks;
  });
  afterAll(() => opened.close());
  const idsOf = (found: readonly Task[]) => found.map(({ id }) => id);
  const inAMinute = () => new Date(opened.time.nowMs + 60_000).toISOString();

  describe('task records', () => {
    test('come back as they were created, once', async () => {
      const task = aTask({ facts: { format: 'raw', work: { render: 3 } } });
      await tasks.create(task);

      expect(await tasks.get(task.id)).toEqual(task);
      expect(await tasks.get(randomUUID())).toBeUndefined();
      await expect(tasks.create(task)).rejects.toMatchObject({
        kind: 'Conflict',
        message: `Task ${task.id} exists already`,
      });
    });

    test('move from an expected status, with what comes along, and leave the rest', async () => {
      const task = aTask({ message: 'waits' });
      await tasks.create(task);
      opened.time.nowMs += 1000;

      const cancelledAt = inAMinute();
      const moved = await tasks.move(task.id, ['pending', 'processing'], { status: 'processing', cancelledAt });
      const ended = await tasks.move(task.id, ['processing'], {
        ...{ status: 'success', message: 'done', result: { image_id: 'x' }, expiresAt: inAMinute() },
      });

      const updatedAt = new Date(opened.time.nowMs).toISOString();
      expect(moved).toEqual({ ...task, status: 'processing', cancelledAt, updatedAt });
      expect(ended).toEqual({
        ...{ ...moved, status: 'success', message: 'done', result: { image_id: 'x' }, expiresAt: inAMinute() },
      });
      expect(await tasks.get(task.id)).toEqual(ended);
    });

    test('refuse to move from another status, naming both, and without a task', async () => {
      const task = aTask();
      await tasks.create(task);

      await expect(tasks.move(task.id, ['processing'], { status: 'success' })).rejects.toMatchObject({
        kind: 'Conflict',
        message: `Task ${task.id} is pending, expected processing`,
      });
      expect(await tasks.get(task.id)).toEqual(task);
      await expect(tasks.move('missing', ['pending'], { status: 'failure' })).rejects.toMatchObject({
        kind: 'NotFound',
        message: 'Task missing does not exist',
      });
    });

    test('gather facts key by key, the last one winning, and a message', async () => {
      const task = aTask({ facts: { format: 'raw' } });
      await tasks.create(task);
      opened.time.nowMs += 1000;

      await Promise.all([tasks.note(task.id, { md5: 'm' }), tasks.note(task.id, { virtualSize: 7 })]);
      await tasks.note(task.id, { format: 'qcow2' }, 'at work');
      await tasks.note(task.id, {});

      expect(await tasks.get(task.id)).toEqual({
        ...task,
        facts: { format: 'qcow2', md5: 'm', virtualSize: 7 },
        message: 'at work',
        updatedAt: new Date(opened.time.nowMs).toISOString(),
      });
    });

    test('note nothing where no task is, and make none', async () => {
      await expect(tasks.note('missing', { md5: 'm' })).rejects.toMatchObject({
        kind: 'NotFound',
        message: 'Task missing does not exist',
      });
      expect(await tasks.get('missing')).toBeUndefined();
    });

    test('disappear when they expire', async () => {
      const task = aTask({ owner: 'expiring' });
      await tasks.create(task);
      await tasks.move(task.id, ['pending'], { status: 'failure', expiresAt: inAMinute() });
      opened.time.nowMs += 59_999;
      expect(await tasks.get(task.id)).toBeDefined();
      opened.time.nowMs += 1;

      expect(await tasks.get(task.id)).toBeUndefined();
      expect(await tasks.listByImage(task.imageId ?? '')).toEqual([]);
      expect(await tasks.list({ owner: 'expiring' })).toEqual([]);
      await expect(tasks.move(task.id, ['pending'], { status: 'failure' })).rejects.toMatchObject({ kind: 'NotFound' });
    });
  });

  describe('lists of tasks', () => {
    test('of an image, newest first', async () => {
      const imageId = randomUUID();
      const [first, second] = [aTask({ imageId }), aTask({ imageId, createdAt: '2026-01-02T00:00:00.000Z' })];
      for (const task of [second, first, aTask()]) await tasks.create(task);

      expect(idsOf(await tasks.listByImage(imageId))).toEqual([second.id, first.id]);
    });

    test('of a project, by status and type, newest first unless forward; an owner of none has none', async () => {
      const owner = randomUUID();
      const days = ['01', '02', '03'].map((day) => `2026-03-${day}T00:00:00.000Z`);
      const made = days.map((createdAt, n) =>
        aTask({ owner, createdAt, imageId: n === 0 ? null : 'i', type: n === 0 ? 'import' : 'api_image_import' }),
      );
      for (const task of made) await tasks.create(task);
      const [first = '', second = '', third = ''] = idsOf(made);
      await tasks.move(second, ['pending'], { status: 'processing' });

      expect(idsOf(await tasks.list({ owner }))).toEqual([third, second, first]);
      expect(idsOf(await tasks.list({ owner, forward: true }))).toEqual([first, second, third]);
      expect(idsOf(await tasks.list({ owner, status: 'processing' }))).toEqual([second]);
      expect(idsOf(await tasks.list({ owner, type: 'import' }))).toEqual([first]);
      expect(await tasks.list({ owner: 'nobody' })).toEqual([]);
      expect(idsOf(await tasks.list({})).slice(0, 3)).toEqual([third, second, first]);
    });

    test('of what has not ended, oldest first, as many as asked for', async () => {
      const [old, young, over] = ['2025-01-01', '2025-01-02', '2025-01-03'].map((day) =>
        aTask({ createdAt: `${day}T00:00:00.000Z` }),
      ) as [Task, Task, Task];
      for (const task of [over, young, old]) await tasks.create(task);
      await tasks.move(over.id, ['pending'], { status: 'failure', expiresAt: inAMinute() });
      await tasks.move(young.id, ['pending'], { status: 'processing' });
      await opened.indexed();

      expect(idsOf(await tasks.listLive(2))).toEqual([old.id, young.id]);
      expect(idsOf(await tasks.listLive(100))).not.toContain(over.id);
      expect(idsOf(await tasks.listLive(1))).toEqual([old.id]);
    });
  });

  describe('batches and pace', () => {
    test('a batch owns its record, which is written whole', async () => {
      const { id } = aTask();
      await tasks.putBatch(aBatch(id, { earlier: { bytesDone: 0, atMs: 1 } }));
      await tasks.putBatch(aBatch(id, { bytesDone: 2 }));
      await tasks.putBatch(aBatch(id, { batch: 1, error: { kind: 'StoreFailed', message: 'm' } }));
      await tasks.putBatch(aBatch(id, { phase: 'copy:central' }));
      await tasks.putBatch(aBatch(randomUUID()));

      const found = await tasks.batches(id);

      expect(await tasks.batch(id, 'render', 0)).toEqual(aBatch(id, { bytesDone: 2 }));
      expect(await tasks.batch(id, 'render', 2)).toBeUndefined();
      expect(await tasks.batch(id, 'hash', 0)).toBeUndefined();
      expect(found).toHaveLength(3);
      expect(found).toEqual(
        expect.arrayContaining([
          aBatch(id, { bytesDone: 2 }),
          aBatch(id, { batch: 1, error: { kind: 'StoreFailed', message: 'm' } }),
          aBatch(id, { phase: 'copy:central' }),
        ]),
      );
    });

    test('are removed with their task’s end, however many', async () => {
      const [id, other] = [randomUUID(), randomUUID()];
      for (let batch = 0; batch < 60; batch++) await tasks.putBatch(aBatch(id, { batch }));
      await tasks.putBatch(aBatch(other));

      await tasks.removeBatches(id);
      await tasks.removeBatches(id);

      expect(await tasks.batches(id)).toEqual([]);
      expect(await tasks.batches(other)).toHaveLength(1);
    });

    test('pace is empty before the first import and then what was set last', async () => {
      expect(await tasks.rates()).toEqual({});
      await tasks.setRates({ render: 1, hash: 2 });
      await tasks.setRates({ render: 3 });

      expect(await tasks.rates()).toEqual({ render: 3 });
    });
  });
}
