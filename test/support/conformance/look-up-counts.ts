import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LookUpCounts } from '../../../core/identity/look-ups.ts';

const LATER = 4_000_000_000;

/** What every LookUpCounts does. */
export function lookUpCountsSuite(
  open: () => Promise<{ readonly counts: LookUpCounts; close(): Promise<void> }>,
): void {
  let counts: LookUpCounts;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ counts, close } = await open());
  });
  afterAll(() => close());

  test('counts are added to one by one, each key by itself, and seen at once', async () => {
    expect(await counts.of('1#p')).toBe(0);
    expect([await counts.add('1#p', 9, LATER), await counts.add('1#p', 9, LATER)]).toEqual([true, true]);
    expect([await counts.of('1#p'), await counts.of('2#p'), await counts.of('1#')]).toEqual([2, 0, 0]);
  });

  test('of additions at once exactly as many are made as there may be', async () => {
    const made = await Promise.all(Array.from({ length: 12 }, () => counts.add('3#p', 5, LATER)));

    expect(made.filter(Boolean)).toHaveLength(5);
    expect(await counts.of('3#p')).toBe(5);
  });
}
