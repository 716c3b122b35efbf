import { expect, test } from 'vitest';
import { reporter } from '../../../../../core/imports/report/reporter.ts';
import { anImage } from '../../../../support/images.ts';
import { memoryDeps } from '../../../../support/memory/deps.ts';
import { aTask } from '../../../../support/tasks.ts';

test('batches that end together are rolled up once, and postpone the task’s duty', async () => {
  const deps = memoryDeps();
  const task = aTask({ status: 'processing', facts: { work: { render: 100 } } });
  const imageId = task.imageId ?? '';
  await deps.tasks.create(task);
  await deps.images.create(anImage({ id: imageId, status: 'importing', lock: task.id }));

  for (const batch of [0, 1]) await reporter(deps, { ...task, imageId }, 'render', batch, 50).end();
  expect((await deps.images.get(imageId))?.progress).toMatchObject({ phase: 'render', percent: 50 });
  deps.time.nowMs += 1_000;
  await reporter(deps, { ...task, imageId }, 'render', 1, 50).end();

  expect(await deps.images.get(imageId)).toMatchObject({ progress: { percent: 99 }, revision: 0 });
  expect(await deps.duties.due(deps.time.nowMs + 59_999, 9)).toEqual([]);
  expect(await deps.duties.due(deps.time.nowMs + 60_000, 9)).toMatchObject([{ id: `task:${task.id}`, imageId }]);
});

const begun = async () => {
  const deps = memoryDeps();
  const task = aTask({ status: 'processing', facts: { work: { render: 100 } } });
  const imageId = task.imageId ?? '';
  await deps.tasks.create(task);
  await deps.images.create(anImage({ id: imageId, status: 'importing', lock: task.id }));
  return { deps, task: { ...task, imageId } };
};
const throttled = async (): Promise<never> => {
  throw Object.assign(new Error('Throughput exceeds the current capacity'), { name: 'ThrottlingException' });
};

test('a beat that finds the table throttled is no failure of the work, and is logged once', async () => {
  const { deps, task } = await begun();
  const { putBatch } = deps.tasks;
  const report = reporter(deps, task, 'render', 0, 100);
  deps.tasks.putBatch = throttled;

  for (const bytes of [10, 20, 30]) {
    await report.add(bytes);
    deps.time.nowMs += 1_000;
  }
  expect(deps.logged).toMatchObject([
    {
      level: 'warn',
      facts: { taskId: task.id, phase: 'render', batch: 0, cause: 'Throughput exceeds the current capacity' },
    },
  ]);
  deps.tasks.putBatch = putBatch;
  await report.add(5);

  expect(await deps.tasks.batch(task.id, 'render', 0)).toMatchObject({ bytesDone: 65 });
});

test('the end of a batch is its own record: that it is not written is a failure, that it is not summed up is none', async () => {
  const { deps, task } = await begun();
  deps.duties.postpone = throttled;
  await reporter(deps, task, 'render', 0, 100).end();
  expect(await deps.tasks.batch(task.id, 'render', 0)).toMatchObject({ bytesDone: 100 });
  deps.tasks.putBatch = throttled;

  await expect(reporter(deps, task, 'render', 1, 100).end()).rejects.toThrow('Throughput');
});

test('a batch whose bytes are all moved is not at its end before it says so: what follows them may fail', async () => {
  const { deps, task } = await begun();
  const report = reporter(deps, task, 'render', 0, 100);
  await report.add(100);
  expect(await deps.tasks.batch(task.id, 'render', 0)).toMatchObject({ bytesDone: 99, bytesTotal: 100 });
  await report.end();

  expect(await deps.tasks.batch(task.id, 'render', 0)).toMatchObject({ bytesDone: 100, bytesTotal: 100 });
});
