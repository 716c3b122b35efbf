import { expect, it } from 'vitest';
import { RESERVED_PREFIXES } from '../../../bytes/keys.ts';
import { createLocations } from '../../../bytes/locations.ts';
import type { Store } from '../../../bytes/store.ts';

/** A bucket that has whatever it is asked for. */
const store = { id: 'central', bucket: 'bucket', headObject: async () => ({ size: 1 }) } as unknown as Store;
const locations = createLocations({ stores: [store] });

/** In the forms that something between us and the bytes may fold into one. */
const SPELLINGS: readonly ((key: string) => string)[] = [
  (key) => key,
  (key) => key.toUpperCase(),
  (key) => `/${key}`,
  (key) => `//${key.replaceAll('/', '//')}`,
  (key) => `./${key}`,
  (key) => `x/../${key}`,
  (key) => `x/%2e%2e/${key}`,
  (key) => key.replaceAll('/', '%2F'),
  (key) => key.replaceAll('/', '\\'),
  (key) => key.replaceAll('/', '%5c'),
  (key) => `%${key.charCodeAt(0).toString(16)}${key.slice(1)}`,
  (key) => `%25${key.charCodeAt(0).toString(16)}${key.slice(1)}`,
  (key) => `${key}?versionId=1`,
  (key) => `?x/../${key}`,
  (key) => `${key}#part`,
  (key) => `${key.slice(0, 2)}\t${key.slice(2)}`,
  (key) => `${key.slice(0, 2)}%0a${key.slice(2)}`,
  (key) => `${key.slice(0, 2)}\u200b${key.slice(2)}`,
  (key) => `${String.fromCharCode(key.charCodeAt(0) + 0xfee0)}${key.slice(1)}`,
];
const RESERVED = [
  'images/i/w/data',
  'staged/i/w/data',
  'plans/t/plan.json',
  'drop/p/x.raw',
  'quarantine/p/x',
  'probe/abilities.json',
];

it('every prefix has a row here', () => {
  expect(RESERVED.map((key) => key.slice(0, key.indexOf('/') + 1))).toEqual([...RESERVED_PREFIXES]);
});

it.each(RESERVED.flatMap((key) => SPELLINGS.map((spell) => spell(key))))(
  'none of ours is a location: %j',
  async (key) => {
    expect(await locations.find(`s3://bucket/${key}`)).toBeUndefined();
  },
);

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

it.each(['x', 'my/images/x', 'images-of-mine/x', '100%/x', 'x/../y', 'my/drop/x', 'a?b#c'])(
  'keys of others are: %s',
  async (key) => {
    expect(await locations.find(`s3://bucket/${key}`)).toEqual({ store: 'central', size: 1 });
  },
);
