import { expect, test } from 'vitest';
import { kernelFindings } from '../../../../api/images/kernel-lint.ts';

const users = Array.from({ length: 7 }, (_, n) => ({ id: `image-${n}`, kernel_id: 'kernel' }));

test.each([
  ['names one that is gone', { id: 'a', kernel_id: 'gone' }, [['gone', 'kernel_id', 'gone']]],
  [
    'names two that are gone',
    { id: 'a', kernel_id: 'gone', ramdisk_id: 'gone' },
    [
      ['gone', 'kernel_id', 'gone'],
      ['gone', 'ramdisk_id', 'gone'],
    ],
  ],
  ['names one that is there', { id: 'a', kernel_id: 'kernel' }, []],
  ['names none', { id: 'a', kernel_id: null, ramdisk_id: '' }, []],
  ['others boot with', { id: 'kernel' }, [['in_use', 'kernel_id', 'kernel']]],
  ['others boot with, as a ramdisk', { id: 'ramdisk' }, [['in_use', 'ramdisk_id', 'ramdisk']]],
])('an image that %s', (_, image, expected) => {
  const surroundings = { gone: new Set(['gone']), users: [...users, { id: 'b', ramdisk_id: 'ramdisk' }] };

  const found = kernelFindings(image, surroundings);

  expect(found.map(({ kind, property, value }) => [kind, property, value])).toEqual(expected);
});

test('five users are named, and the others counted', () => {
  const [finding] = kernelFindings({ id: 'kernel' }, { gone: new Set(), users });

  expect(finding?.message).toBe(
    'images that boot with it (kernel_id): image-0, image-1, image-2, image-3, image-4 and 2 more',
  );
});
