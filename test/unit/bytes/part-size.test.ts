import { expect, it } from 'vitest';
import { MAX_PARTS, partSize } from '../../../bytes/part-size.ts';

const MIB = 1024 ** 2;
const TIB = 1024 ** 4;

it('lets an upload of unknown length reach 1 TiB in 10,000 parts of at most 5 GiB', () => {
  let sum = 0;
  for (let n = 0; n < MAX_PARTS; n++) {
    expect(partSize(n)).toBeGreaterThanOrEqual(n === 0 ? 5 * MIB : partSize(n - 1));
    expect(partSize(n)).toBeLessThanOrEqual(5 * 1024 ** 3);
    sum += partSize(n);
  }
  expect(sum).toBeGreaterThanOrEqual(TIB);
});

it.each([0, 1, 100 * MIB, 156 * 1024 ** 3, TIB, 40 * TIB])('fits %i known bytes into equal parts', (bytes) => {
  const size = partSize(0, bytes);

  expect(partSize(9_999, bytes)).toBe(size);
  expect(Math.ceil(bytes / size)).toBeLessThanOrEqual(MAX_PARTS);
  expect(size).toBeGreaterThanOrEqual(16 * MIB);
});
