/** The end of a failed import, whatever the image had come to by then. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Image } from '../../../../core/images/image.ts';
import { revertImport } from '../../../../core/imports/revert.ts';
import type { ImportMethod, Task } from '../../../../core/tasks/task.ts';
import { aLocation, anImage } from '../../../support/images.ts';
import { type MemoryDeps, memoryDeps } from '../../../support/memory/deps.ts';
import { aTask } from '../../../support/tasks.ts';

let deps: MemoryDeps;
beforeEach(() => {
  deps = memoryDeps();
});

const STORES = ['central', 'dcn0'];

/** An import at work that holds its image; `central` has a copy by it, unless the image says otherwise. */
async function atWork(method: ImportMethod, attributes: Partial<Image>): Promise<{ task: Task; image: Image }> {
  const task = aTask({
    status: 'processing',
    import: { method, stores: STORES, allStoresMustSucceed: false, roles: [] },
  });
  const image = anImage({
    ...{ id: task.imageId ?? '', lock: task.id, size: 10, checksum: 'c', importingTo: ['dcn0'], failedImport: [] },
    locations: [aLocation('central', { writeId: task.id })],
    ...attributes,
  });
  await deps.tasks.create(task);
  await deps.images.create(image);
  return { task, image };
}

const WEB: ImportMethod = { name: 'web-download', uri: 'http://example.org/i' };
const STAGED = { writeId: 'staged', layout: 'plain', size: 10 } as const;

describe('an import that fails', () => {
  test.each<[Image['status'], ImportMethod]>([
    ['uploading', { name: 'glance-direct' }],
    ['queued', WEB],
    ['importing', WEB],
  ])('while its image is %s leaves it queued, empty and free', async (status, method) => {
    const { task, image } = await atWork(method, { status, staged: STAGED, progress: { phase: 'copy', percent: 3 } });

    await revertImport(deps, task.id, 'the cause');

    expect(await deps.images.get(image.id)).toMatchObject({
      ...{ status: 'queued', lock: null, size: null, checksum: null, staged: null, progress: null, locations: [] },
      // No store broke: none is blamed.
      ...{ importingTo: [], failedImport: [] },
    });
    expect(await deps.tasks.get(task.id)).toMatchObject({ status: 'failure', message: 'the cause' });
    expect(deps.swept).toEqual(
      expect.arrayContaining(['staging', ...STORES].map((place) => `${place} images/${image.id}/${task.id}/`)),
    );
  });

  test.each<[string, ImportMethod, Image['status'], readonly string[], readonly string[]]>([
    ['a download, no store', WEB, 'importing', [], []],
    ['a download, one store', WEB, 'importing', ['dcn0'], ['dcn0']],
    ['staged bytes, no store', { name: 'glance-direct' }, 'importing', [], []],
    ['staged bytes, both stores', { name: 'glance-direct' }, 'importing', STORES, STORES],
    ['a copy, no store', { name: 'copy-image' }, 'active', [], ['dcn0']],
    ['a copy, the store that it lacks', { name: 'copy-image' }, 'active', ['dcn0'], ['dcn0']],
    ['a download that its first copy activated', WEB, 'active', [], ['dcn0']],
  ])('names the stores that failed: %s', async (_, method, status, broke, named) => {
    const { task, image } = await atWork(method, { status, failedImport: broke });

    await revertImport(deps, task.id, 'the cause');

    expect((await deps.images.get(image.id))?.failedImport?.toSorted()).toEqual(named);
  });

  test('takes off a copy, too, that came while it looked', async () => {
    const { task, image } = await atWork(WEB, { status: 'importing' });
    const { get } = deps.images;
    let looks = 0;
    deps.images.get = async (id) => {
      const found = await get(id);
      looks += 1;
      if (looks === 2) await deps.images.change(id, { addLocations: [aLocation('dcn0', { writeId: task.id })] });
      return found;
    };

    await revertImport(deps, task.id, 'the cause');

    expect(looks).toBeGreaterThan(2);
    expect(await get(image.id)).toMatchObject({ status: 'queued', locations: [] });
  });

  test.each(['active', 'deactivated'] as const)(
    'after its first copy made the image active leaves it %s, with what it has',
    async (status) => {
      const { task, image } = await atWork(WEB, { status, staged: STAGED });

      await revertImport(deps, task.id, 'the cause');

      expect(await deps.images.get(image.id)).toMatchObject({
        ...{ status, lock: null, size: 10, checksum: 'c', staged: null, locations: image.locations },
        ...{ importingTo: [], failedImport: ['dcn0'] },
      });
      expect(await deps.tasks.get(task.id)).toMatchObject({ status: 'failure' });
      expect(deps.swept).not.toContain(`central images/${image.id}/${task.id}/`);
      expect(deps.swept).toContain(`dcn0 images/${image.id}/${task.id}/`);
    },
  );

  test('just when its first copy makes the image active leaves it active', async () => {
    const { task, image } = await atWork(WEB, { status: 'importing' });
    const { images } = deps;
    let looks = 0;
    const get: typeof images.get = async (id) => {
      const seen = await images.get(id);
      looks += 1;
      if (looks === 1) await images.change(id, { expect: { status: ['importing'] }, set: { status: 'active' } });
      return seen;
    };

    await revertImport({ ...deps, images: { ...images, get } }, task.id, 'the cause');

    expect(await images.get(image.id)).toMatchObject({ status: 'active', lock: null, locations: image.locations });
    expect(deps.swept).not.toContain(`central images/${image.id}/${task.id}/`);
  });

  test('of copy-image keeps the copies that were made', async () => {
    const { task, image } = await atWork({ name: 'copy-image' }, { status: 'active' });

    await revertImport(deps, task.id, 'the cause');

    expect(await deps.images.get(image.id)).toMatchObject({
      ...{ status: 'active', lock: null, size: 10, locations: image.locations, failedImport: ['dcn0'] },
    });
    expect(deps.swept).not.toContain(`central images/${image.id}/${task.id}/`);
  });

  test('runs twice and late: it touches only what is its own', async () => {
    const { task, image } = await atWork(WEB, { status: 'importing' });
    await revertImport(deps, task.id, 'the cause');
    await deps.images.change(image.id, { expect: { status: ['queued'] }, set: { status: 'saving', lock: 'upload' } });
    const taken = await deps.images.get(image.id);

    await revertImport(deps, task.id, 'another cause');

    expect(await deps.images.get(image.id)).toEqual(taken);
    expect(await deps.tasks.get(task.id)).toMatchObject({ message: 'the cause' });
  });

  test('after its end changes nothing', async () => {
    const { task, image } = await atWork(WEB, { status: 'active' });
    await deps.tasks.move(task.id, ['processing'], { status: 'success' });

    await revertImport(deps, task.id, 'too late');

    expect(await deps.images.get(image.id)).toEqual(image);
    expect(deps.swept).toEqual([]);
  });

  test('and whose image is gone ends its task and sweeps', async () => {
    const { task, image } = await atWork(WEB, { status: 'importing' });
    await deps.images.delete(image.id);

    await revertImport(deps, task.id, 'the cause');

    expect(await deps.tasks.get(task.id)).toMatchObject({ status: 'failure', message: 'the cause' });
    expect(deps.swept).toContain(`central images/${image.id}/${task.id}/`);
  });
});
