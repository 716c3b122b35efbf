import { expect, test } from 'vitest';
import { RecentWrites } from '../../../../aws/dynamodb/recent-writes.ts';

test('writes are remembered for a while, the newer of two wins, a removal hides', () => {
  let nowMs = 0;
  const recent = new RecentWrites<number>(
    (value, known) => value < known,
    () => nowMs,
  );
  recent.note('a', 2);
  recent.note('a', 1);
  nowMs = 1_500;
  recent.note('b', 7);
  expect(recent.values()).toEqual([2, 7]);
  recent.note('b', undefined);
  expect(recent.values()).toEqual([2]);
  expect(recent.has('b')).toBe(true);

  nowMs = 2_500;

  expect(recent.values()).toEqual([]);
  expect([recent.has('a'), recent.has('b')]).toEqual([false, true]);
});
