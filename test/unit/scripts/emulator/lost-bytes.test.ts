import { expect, test } from 'vitest';
import type { Image } from '../../../../core/images/image.ts';
import { lostBytes } from '../../../../scripts/emulator/lost-bytes.ts';

const STORES = ['a', 'b'].map((id) => ({ id, bucket: `bucket-${id}` })) as Parameters<typeof lostBytes>[1]['stores'];

const image = (id: string, ...stores: readonly string[]): Image =>
  ({
    id,
    name: id === 'unnamed' ? null : `name-${id}`,
    locations: stores.map((store) => ({ store })),
  }) as unknown as Image;

/** Pages of two. */
function listing(images: readonly Image[]): Parameters<typeof lostBytes>[0] {
  return {
    page: async ({ marker }) => {
      const from = marker === undefined ? 0 : images.indexOf(marker) + 1;
      return { images: images.slice(from, from + 2), more: from + 2 < images.length };
    },
  };
}

test('images in a new bucket are named with the stores they were in, over all pages', async () => {
  const images = [image('1', 'a'), image('2', 'b'), image('3'), image('unnamed', 'a', 'b')];

  const said = await lostBytes(listing(images), { stores: STORES }, ['bucket-b', 'staging']);

  expect(said).toContain('the bytes of 2 images are gone');
  expect(said).toContain('name-2 (2) in b; without a name (unnamed) in b:');
  expect(said).not.toContain('name-1');
});

test('many are counted', async () => {
  const images = Array.from({ length: 13 }, (_, n) => image(String(n), 'a'));

  const said = await lostBytes(listing(images), { stores: STORES }, ['bucket-a']);

  expect(said).toContain('13 images');
  expect(said).toContain('; and 3 more:');
});

test('nothing is said where nothing was lost', async () => {
  expect(await lostBytes(listing([image('1', 'a')]), { stores: STORES }, [])).toBeUndefined();
  expect(await lostBytes(listing([image('1', 'a')]), { stores: STORES }, ['bucket-b'])).toBeUndefined();
  expect(await lostBytes(listing([]), { stores: STORES }, ['bucket-a'])).toBeUndefined();
});
