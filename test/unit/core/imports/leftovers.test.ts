/** What an import must not leave, whichever way it ends. */
import { expect, test } from 'vitest';
import { leftovers } from '../../../../core/imports/leftovers.ts';
import type { ImportTask } from '../../../../core/imports/report/import-task.ts';
import { aLocation, anImage } from '../../../support/images.ts';
import { aTask } from '../../../support/tasks.ts';

const METHOD = { name: 'glance-direct' } as const;
const task = aTask({
  ...{ id: 't', imageId: 'i' },
  import: { method: METHOD, stores: ['central', 'edge'], allStoresMustSucceed: false, roles: [] },
  facts: { source: { place: 'staging', prefix: 'staged/i/upload/', layout: 'plain', size: 1 } },
}) as ImportTask;

test('all of staging, its source included, and every store but those that hold a copy of it', () => {
  const image = anImage({ id: 'i', locations: [aLocation('central', { writeId: 't' })] });

  expect(leftovers(task, image)).toEqual({
    ...{ imageId: 'i', writeId: 't' },
    places: [
      ...['staged/i/upload/', 'images/i/t/', 'staged/i/t/', 'plans/t/'].map((prefix) => ({ place: 'staging', prefix })),
      { place: 'edge', prefix: 'images/i/t/' },
    ],
  });
});

test('a source that is another copy of the image stays', () => {
  const source = { place: 'central', prefix: 'images/i/upload/', layout: 'plain', size: 1 } as const;

  const { places } = leftovers({ ...task, facts: { source } }, undefined);

  expect(places.map(({ prefix }) => prefix)).not.toContain(source.prefix);
  expect(places.filter(({ place }) => place !== 'staging').map(({ place }) => place)).toEqual(['central', 'edge']);
});
