import { expect, test } from 'vitest';
import { reporter } from '../../../../../core/imports/report/reporter.ts';
import { aTask } from '../../../../support/conformance/tasks.ts';
import { anImage } from '../../../../support/images.ts';
import { memoryDeps } from '../../../../support/memory/deps.ts';

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
