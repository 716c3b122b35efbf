import { expect, test } from 'vitest';
import { parseConfig } from '../../../../core/config.ts';
import { storedBytesOf } from '../../../../core/images/stored-bytes.ts';
import { aLocation, anImage } from '../../../support/images.ts';

const config = parseConfig({ stores: [{ id: 'central', bucket: 'bucket', default: true }] });
const broughtTo = (key: string) => {
  const { writeId: _, ...location } = aLocation('central');
  return storedBytesOf(config, anImage(), { ...location, url: `s3://bucket/${key}` });
};

test('a location that was stored before our prefixes were refused leads nowhere', () => {
  expect(broughtTo('staged/i/w/data')).toBeUndefined();
  expect(broughtTo('Images%2fi/w/data')).toBeUndefined();
  expect(broughtTo('my/disk')).toMatchObject({ place: 'central', key: 'my/disk' });
});
