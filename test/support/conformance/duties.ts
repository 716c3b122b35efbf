import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Duty, DutyRepository } from '../../../core/duties/duty.ts';

const aDuty = (id: string, dueAtMs: number, more: Partial<Duty> = {}): Duty => ({
  ...{ id, kind: 'task', imageId: 'image', dueAtMs },
  ...more,
});

/** What every DutyRepository does; each test's duties lie in a time of their own. */
export function dutyRepositorySuite(
  open: () => Promise<{ readonly duties: DutyRepository; close(): Promise<void> }>,
): void {
  let duties: DutyRepository;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ duties, close } = await open());
  });
  afterAll(() => close());

  const dueBy = async (nowMs: number, limit = 50) => (await duties.due(nowMs, limit)).map(({ id }) => id);

  describe('duties', () => {
    test('come back as they were written, from their time on, earliest first, as many as asked for', async () => {
      const whole = aDuty('b', 2_000, {
        ...{ kind: 'retired', writeId: 'w', attempt: 1, places: [{ place: 'central', prefix: 'images/x/' }] },
      });
      await duties.put(aDuty('late', 1_000_000_000));
      await duties.put(aDuty('c', 2_000));
      await duties.put(whole);
      await duties.put(aDuty('z', 900));

      expect(await dueBy(899)).toEqual([]);
      expect(await dueBy(900)).toEqual(['z']);
      expect(await dueBy(2_000)).toEqual(['z', 'b', 'c']);
      expect(await dueBy(2_000, 2)).toEqual(['z', 'b']);
      expect((await duties.due(2_000, 2))[1]).toEqual(whole);
      for (const id of ['z', 'b', 'c', 'late']) await duties.remove(id);
    });

    test('exist once: a later write postpones', async () => {
      await duties.put(aDuty('again', 1_000));
      await duties.put(aDuty('again', 3_000, { attempt: 2 }));

      expect(await dueBy(2_999)).toEqual([]);
      expect(await duties.due(3_000, 5)).toEqual([aDuty('again', 3_000, { attempt: 2 })]);
      await duties.remove('again');
    });

    test.each([
      ['there is none', undefined, true],
      ['it is due earlier', 800, true],
      ['it is due just then', 900, true],
      ['it is due later', 901, false],
    ])('is postponed when %s', async (_, dueAtMs, isPut) => {
      const id = `postponed ${dueAtMs}`;
      if (dueAtMs !== undefined) await duties.put(aDuty(id, dueAtMs));

      expect(await duties.postpone(aDuty(id, 1_000), 900)).toBe(isPut);

      const found = (await duties.due(1_000, 50)).find((duty) => duty.id === id);
      expect(found?.dueAtMs).toBe(isPut ? 1_000 : dueAtMs);
      await duties.remove(id);
    });

    test('of many at the same moment one postpones it', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, () => duties.postpone(aDuty('many', 5_000_000_000), 4_000_000_000)),
      );

      expect(outcomes.filter(Boolean)).toHaveLength(1);
      await duties.remove('many');
    });

    test('are removed once and for all, and may be removed again', async () => {
      await duties.put(aDuty('done', 1_000));
      await duties.remove('done');
      await duties.remove('done');

      expect(await dueBy(1_000)).toEqual([]);
    });
  });
}
