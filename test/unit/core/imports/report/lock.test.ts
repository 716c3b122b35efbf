import { expect, test } from 'vitest';
import { importTask } from '../../../../../core/imports/report/import-task.ts';
import { assertLock } from '../../../../../core/imports/report/lock.ts';
import { anImage } from '../../../../support/images.ts';
import { memoryDeps } from '../../../../support/memory/deps.ts';
import { aTask } from '../../../../support/tasks.ts';

test.each([
  ['another’s', 'other', /is held by other, not by task t/],
  ['nobody’s', null, /is held by nobody, not by task t/],
])('an image that is %s aborts the task', async (_, lock, message) => {
  const deps = memoryDeps();
  const image = anImage({ lock });
  await deps.images.create(image);

  const refused = { kind: 'TaskAborted', message: expect.stringMatching(message) };

  await expect(assertLock(deps, image.id, 't')).rejects.toMatchObject(refused);
});

test('an image that is gone aborts the task, the task’s own does not', async () => {
  const deps = memoryDeps();
  const image = anImage({ lock: 't' });
  await deps.images.create(image);
  await assertLock(deps, image.id, 't');
  await deps.images.delete(image.id);

  await expect(assertLock(deps, image.id, 't')).rejects.toMatchObject({
    kind: 'TaskAborted',
    message: expect.stringMatching(/was deleted while task t/),
  });
});

test('what is no import of an image is no task for a step', async () => {
  const deps = memoryDeps();
  const { import: _, ...bare } = aTask();
  const [sound, imageless] = [aTask(), aTask({ imageId: null })];
  for (const task of [sound, imageless, bare]) await deps.tasks.create(task);

  expect(await importTask(deps, sound.id)).toEqual(sound);
  for (const id of [imageless.id, bare.id, 'missing'])
    await expect(importTask(deps, id)).rejects.toMatchObject({ kind: 'TaskAborted' });
});
