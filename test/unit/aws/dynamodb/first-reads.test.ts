import { expect, test } from 'vitest';
import { createFirstReads } from '../../../../aws/dynamodb/first-reads.ts';

test('asks a partition that was never read for the whole page', () => {
  const reads = createFirstReads();

  expect(reads.rows('VIS#public#0', 25)).toBe(25);
});

test('asks for what the last page took and some more, never above the page', () => {
  const reads = createFirstReads();

  reads.note('VIS#public#0', 5, 25);
  reads.note('VIS#shared#0', 24, 25);

  expect(reads.rows('VIS#public#0', 25)).toBe(9);
  expect(reads.rows('VIS#shared#0', 25)).toBe(25);
  expect(reads.rows('VIS#public#0', 100)).toBe(24);
});

test('forgets a large share slowly', () => {
  const reads = createFirstReads();

  reads.note('VIS#public#0', 20, 25);
  reads.note('VIS#public#0', 0, 25);

  expect(reads.rows('VIS#public#0', 25)).toBe(23);
});
