/** A copy that failed: whose fault it was, and what is said of it, whatever the import. */
import { beforeEach, describe, expect, test } from 'vitest';
import { settleFailedStore } from '../../../../core/imports/store-failed.ts';
import { storeFailures } from '../../../../core/imports/store-failures.ts';
import type { ImportMethod } from '../../../../core/tasks/task.ts';
import { anImage } from '../../../support/images.ts';
import { type MemoryDeps, memoryDeps } from '../../../support/memory/deps.ts';
import { aTask } from '../../../support/tasks.ts';

let deps: MemoryDeps;
beforeEach(() => {
  deps = memoryDeps();
});

async function atWork(method: ImportMethod, allStoresMustSucceed: boolean) {
  const stores = ['central', 'dcn0'];
  const task = aTask({ status: 'processing', import: { method, stores, allStoresMustSucceed, roles: [] } });
  const status = method.name === 'copy-image' ? 'active' : 'importing';
  const image = anImage({ id: task.imageId ?? '', lock: task.id, status, importingTo: stores, failedImport: [] });
  await deps.tasks.create(task);
  await deps.images.create(image);
  return { task, image };
}

const METHODS: readonly ImportMethod[] = [
  { name: 'glance-direct' },
  { name: 'web-download', uri: 'http://example.org/i' },
  { name: 'copy-image' },
];

describe.each(METHODS)('of $name', (method) => {
  test.each(['BackendUnavailable', 'NotFound', 'States.Timeout', undefined])(
    'a store that fails with %s is named, with its cause',
    async (kind) => {
      const { task, image } = await atWork(method, false);

      await settleFailedStore(deps, task.id, 'dcn0', { kind, cause: 'it is away' });

      expect(await deps.images.get(image.id)).toMatchObject({ importingTo: ['central'], failedImport: ['dcn0'] });
      expect(storeFailures(await deps.tasks.batches(task.id))).toEqual(['Store dcn0 failed: it is away']);
    },
  );

  test('a store that must not fail ends the import, and is named', async () => {
    const { task, image } = await atWork(method, true);

    const ended = settleFailedStore(deps, task.id, 'dcn0', { kind: 'BackendUnavailable', cause: 'it is away' });

    await expect(ended).rejects.toMatchObject({ kind: 'StoreFailed', message: 'Store dcn0 failed: it is away' });
    expect((await deps.images.get(image.id))?.failedImport).toEqual(['dcn0']);
  });

  test.each(['ImageRefused', 'FetchFailed'])('a source that fails with %s blames no store', async (kind) => {
    const { task, image } = await atWork(method, false);

    const ended = settleFailedStore(deps, task.id, 'dcn0', { kind, cause: 'it is damaged' });

    await expect(ended).rejects.toMatchObject({ kind, message: 'it is damaged' });
    expect((await deps.images.get(image.id))?.failedImport).toEqual([]);
    expect(storeFailures(await deps.tasks.batches(task.id))).toEqual([]);
  });
});
