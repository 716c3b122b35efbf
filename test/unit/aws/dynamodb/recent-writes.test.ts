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

test('what another process wrote after us stays', () => {
  const recent = new RecentWrites<{ readonly id: string; readonly revision: number }>(
    (value, known) => value.revision < known.revision,
    () => 0,
  );
  recent.note('a', { id: 'a', revision: 2 });
  recent.note('b', { id: 'b', revision: 2 });
  const rows = [
    { id: 'a', revision: 1 },
    { id: 'b', revision: 3 },
    { id: 'c', revision: 1 },
  ];

  const seen = recent.over(
    rows,
    ({ id }) => id,
    () => true,
  );

  expect(seen.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map(({ revision }) => revision)).toEqual([2, 3, 1]);
});
