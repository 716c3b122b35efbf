import { expect, it } from 'vitest';
import { createLocations } from '../../../bytes/locations.ts';
import type { Store } from '../../../bytes/store.ts';

/** A bucket that has whatever it is asked for. */
const store = { id: 'central', bucket: 'bucket', headObject: async () => ({ size: 1 }) } as unknown as Store;
const locations = createLocations({ stores: [store] });

it.each([
  'images/i/w/data',
  'Images/i/w/data',
  '/images/i/w/data',
  '//images//i/w/data',
  './images/i/w/data',
  'x/../images/i/w/data',
  'images%2Fi/w/data',
  '%69mages/i/w/data',
  '%2569mages/i/w/data',
  'x/%2e%2e/images/i/w/data',
  '.\\images\\i',
])('no spelling of our own keys is a location: %s', async (key) => {
  expect(await locations.find(`s3://bucket/${key}`)).toBeUndefined();
});

it.each(['x', 'my/images/x', 'images-of-mine/x', '100%/x', 'x/../y'])('keys of others are: %s', async (key) => {
  expect(await locations.find(`s3://bucket/${key}`)).toEqual({ store: 'central', size: 1 });
});
