import { expect, test } from 'vitest';
import { taskDuty } from '../../../../core/imports/report/task-duty.ts';
import { janitor } from '../../../../core/janitor/janitor.ts';
import { anImage } from '../../../support/images.ts';
import { memoryDeps } from '../../../support/memory/deps.ts';
import { aTask } from '../../../support/tasks.ts';

const MINUTE = 60_000;

/** An import one of whose steps was at work an hour ago, and has reported nothing since. */
async function silentImport() {
  const deps = memoryDeps();
  const image = anImage({ status: 'importing', diskFormat: 'raw', containerFormat: 'bare' });
  const task = aTask({
    ...{ id: 'task', imageId: image.id, status: 'processing', updatedAt: new Date(deps.time.nowMs).toISOString() },
    import: { method: { name: 'glance-direct' }, stores: ['central'], allStoresMustSucceed: true, roles: [] },
  });
  await deps.images.create({ ...image, lock: task.id });
  await deps.tasks.create(task);
  await deps.workflows.startImport(task);
  const startedAtMs = deps.time.nowMs;
  const batch = { taskId: task.id, phase: 'copy:central', batch: 0, bytesDone: 3, bytesTotal: 10 };
  await deps.tasks.putBatch({ ...batch, startedAtMs, atMs: startedAtMs });
  await deps.duties.put(taskDuty({ id: task.id, imageId: image.id }, deps.time.nowMs));
  deps.time.nowMs += 60 * MINUTE;
  return { deps, imageId: image.id, nowMs: deps.time.nowMs };
}

test.each([
  ['whose function was lost and finds no room to be called again', undefined],
  ['that found it a moment ago', 0],
  ['that found it some minutes ago', 4],
])('an import is left alone %s', async (_, minutes) => {
  const { deps, imageId, nowMs } = await silentImport();
  if (minutes !== undefined) deps.calls.set('task', nowMs - minutes * MINUTE);

  expect(await janitor(deps)).toMatchObject({ failed: 0 });

  expect(deps.stopped).toEqual([]);
  expect(await deps.images.get(imageId)).toMatchObject({ status: 'importing', lock: 'task' });
  // It is looked at again.
  expect(await deps.duties.due(nowMs + 2 * MINUTE, 10)).toMatchObject([{ kind: 'task', writeId: 'task' }]);
});

test('an import that is being worked on and says nothing is ended', async () => {
  const { deps, imageId, nowMs } = await silentImport();
  deps.calls.set('task', nowMs - 60 * MINUTE);

  await janitor(deps);

  expect(deps.stopped).toMatchObject([{ taskId: 'task', cause: expect.stringContaining('no progress for 3600 s') }]);
  expect(await deps.images.get(imageId)).toMatchObject({ status: 'queued', lock: null });
});
