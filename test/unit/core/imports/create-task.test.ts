/** The legacy way to import: a task that makes its image (contract: import.md section 9). */
import { expect, test } from 'vitest';
import { cancelImport } from '../../../../core/imports/cancel.ts';
import { createTask } from '../../../../core/imports/create-task.ts';
import { janitor } from '../../../../core/janitor/janitor.ts';
import { callerWith } from '../../../support/caller.ts';
import { importRig } from '../../../support/memory/imports.ts';

const URI = 'https://images.example.org/disk';
const CALLER = callerWith({ projectId: 'demo', roles: ['admin', 'member'], isAdmin: true });

async function created(format: string) {
  const rig = importRig();
  rig.web.set(URI, { body: Buffer.alloc(1024, 1) });
  const image = { properties: {}, computed: [] };
  const task = await createTask(rig.deps, CALLER, { input: {}, importFrom: URI, format, image });
  return { rig, taskId: task.id, imageId: task.imageId ?? '' };
}

test('the image is of the project whose task it is', async () => {
  const { rig, taskId, imageId } = await created('raw');

  await rig.run(taskId);

  expect(await rig.image(imageId)).toMatchObject({ status: 'active', owner: 'demo' });
});

test('a task that fails takes its image along, and all that it wrote', async () => {
  const { rig, taskId, imageId } = await created('qcow2');

  await rig.run(taskId);
  rig.deps.time.nowMs += 60_000;
  await janitor(rig.deps);

  expect(await rig.deps.images.get(imageId)).toBeUndefined();
  expect(await rig.deps.tasks.get(taskId)).toMatchObject({ status: 'failure', result: null });
  expect((await rig.deps.imageList.usageOf('demo')).images).toBe(0);
  expect([...rig.staging.objects.keys()]).toEqual([]);
});

test('a task that cannot begin leaves no image', async () => {
  const rig = importRig();
  rig.deps.tasks.create = () => Promise.reject(new Error('away'));
  const image = { id: '10000000-0000-4000-8000-000000000009', properties: {}, computed: [] };

  await expect(createTask(rig.deps, CALLER, { input: {}, importFrom: URI, format: 'raw', image })).rejects.toThrow(
    'away',
  );

  expect(await rig.deps.images.get(image.id)).toBeUndefined();
});

test('a task that is cancelled leaves the image, for another try', async () => {
  const { rig, taskId, imageId } = await created('raw');

  await cancelImport(rig.deps, CALLER, taskId);

  expect(await rig.image(imageId)).toMatchObject({ status: 'queued', owner: 'demo' });
});
