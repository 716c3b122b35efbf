/** The end of a good import. */
import { expect, test } from 'vitest';
import type { Image } from '../../../../core/images/image.ts';
import { finishImport } from '../../../../core/imports/settle.ts';
import { aLocation, anImage } from '../../../support/images.ts';
import { memoryDeps } from '../../../support/memory/deps.ts';
import { aTask } from '../../../support/tasks.ts';

const FACTS = {
  md5: 'm',
  hash: { algo: 'sha512', value: 'v' },
  rendered: { place: 'staging', prefix: 'p/', layout: 'plain', size: 10 },
} as const;

test.each<[Image['status'], Image['status']]>([
  ['importing', 'active'],
  ['active', 'active'],
  ['deactivated', 'deactivated'],
])(
  'an image that is %s when its import ends is %s then, free, and says what a download returns',
  async (status, after) => {
    const deps = memoryDeps();
    const task = aTask({ status: 'processing', facts: FACTS });
    const image = anImage({
      ...{ id: task.imageId ?? '', status, lock: task.id, importingTo: ['central'] },
      locations: [aLocation('central', { writeId: task.id })],
    });
    await deps.tasks.create(task);
    await deps.images.create(image);

    await finishImport(deps, task.id);
    await finishImport(deps, task.id);

    expect(await deps.images.get(image.id)).toMatchObject({
      ...{ status: after, lock: null, size: 10, checksum: 'm', hashAlgo: 'sha512', hashValue: 'v', importingTo: [] },
    });
    expect(await deps.tasks.get(task.id)).toMatchObject({ status: 'success', result: { image_id: image.id } });
  },
);

test('an import whose stores hold nothing does not end well', async () => {
  const deps = memoryDeps();
  const task = aTask({ status: 'processing', facts: FACTS });
  await deps.tasks.create(task);
  await deps.images.create(anImage({ id: task.imageId ?? '', status: 'importing', lock: task.id }));

  await expect(finishImport(deps, task.id)).rejects.toMatchObject({ kind: 'NothingStored' });
});

test.each([
  [0, 'Copied 0 bytes'],
  [1023, 'Copied 1023 bytes'],
  [1024, 'Copied 1 KiB'],
  [900 * 1024, 'Copied 900 KiB'],
  [1024 ** 2 - 1, 'Copied 1023 KiB'],
  [1024 ** 2, 'Copied 1 MiB'],
  [5 * 1024 ** 3, 'Copied 5120 MiB'],
])('of %i bytes the task says: %s', async (size, message) => {
  const deps = memoryDeps();
  const task = aTask({ status: 'processing', facts: { ...FACTS, rendered: { ...FACTS.rendered, size } } });
  await deps.tasks.create(task);
  await deps.images.create(
    anImage({
      ...{ id: task.imageId ?? '', status: 'importing', lock: task.id },
      locations: [aLocation('central', { writeId: task.id })],
    }),
  );

  await finishImport(deps, task.id);

  expect(await deps.tasks.get(task.id)).toMatchObject({ status: 'success', message });
});
