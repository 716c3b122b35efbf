import { expect, it } from 'vitest';
import { AWS_ABILITIES } from '../../../aws/s3/bucket.ts';
import { partSize } from '../../../bytes/part-size.ts';

const MIB = 1024 ** 2;
const TIB = 1024 ** 4;

it('lets an upload of unknown length reach 1 TiB in 10,000 parts of at most 5 GiB', () => {
  let sum = 0;
  for (let n = 0; n < AWS_ABILITIES.maxParts; n++) {
    expect(partSize(n, AWS_ABILITIES)).toBeGreaterThanOrEqual(n === 0 ? 5 * MIB : partSize(n - 1, AWS_ABILITIES));
    expect(partSize(n, AWS_ABILITIES)).toBeLessThanOrEqual(5 * 1024 ** 3);
    sum += partSize(n, AWS_ABILITIES);
  }
  expect(sum).toBeGreaterThanOrEqual(TIB);
});

it.each([0, 1, 100 * MIB, 156 * 1024 ** 3, TIB, 40 * TIB])('fits %i known bytes into equal parts', (bytes) => {
  const size = partSize(0, AWS_ABILITIES, bytes);

  expect(partSize(9_999, AWS_ABILITIES, bytes)).toBe(size);
  expect(Math.ceil(bytes / size)).toBeLessThanOrEqual(AWS_ABILITIES.maxParts);
  expect(size).toBeGreaterThanOrEqual(16 * MIB);
});

it.each([
  ['fewer parts', { maxParts: 1_000 }, 64 * 1024 ** 3, 66 * MIB],
  ['larger parts only', { minPartBytes: 50 * MIB }, MIB, 50 * MIB],
  ['smaller parts only', { maxPartBytes: 8 * MIB }, MIB, 8 * MIB],
] as const)('keeps to a service that takes %s', (_, bounds, bytes, size) => {
  expect(partSize(0, { ...AWS_ABILITIES, ...bounds }, bytes)).toBe(size);
});
