import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { UsageRepository } from '../../../core/quota/usage.ts';

export interface OpenUsage {
  readonly usage: UsageRepository;
  /** The repository's clock. */
  readonly time: { nowMs: number };
  /** Waits until indexes have seen every write. */
  indexed(): Promise<void>;
  close(): Promise<void>;
}

/** What every UsageRepository does. */
export function usageRepositorySuite(open: () => Promise<OpenUsage>): void {
  let opened: OpenUsage;
  let usage: UsageRepository;
  beforeAll(async () => {
    opened = await open();
    usage = opened.usage;
  });
  afterAll(() => opened.close());

  describe('counters of projects', () => {
    test('are unknown until they are set', async () => {
      expect(await usage.count('new')).toBe(0);
      expect(await usage.add('new', 1, 10)).toBe('unknown');
      expect(await usage.add('new', -1, undefined)).toBe('unknown');
      expect(await usage.count('new')).toBe(0);
    });

    test('go up to the limit and no further, down without one', async () => {
      await usage.reset('p', 3, opened.time.nowMs);

      expect(await usage.add('p', 1, 4)).toBe('added');
      expect(await usage.add('p', 1, 4)).toBe('over');
      expect(await usage.count('p')).toBe(4);
      expect(await usage.add('p', -2, undefined)).toBe('added');
      expect(await usage.count('p')).toBe(2);
    });

    test('are not reset when they were touched since', async () => {
      const { time } = opened;
      await usage.reset('q', 3, time.nowMs);
      time.nowMs += 10_000;
      await usage.add('q', 1, undefined);

      await usage.reset('q', 9, time.nowMs);
      expect(await usage.count('q')).toBe(4);
      await usage.reset('q', 9, time.nowMs + 1);
      expect(await usage.count('q')).toBe(9);
      await usage.reset('q', 1, time.nowMs);
      expect(await usage.count('q')).toBe(9);
    });

    test('let one of many reservations have the last place', async () => {
      await usage.reset('race', 0, opened.time.nowMs);
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => usage.add('race', 1, 3)));

      expect(outcomes.filter((outcome) => outcome === 'added')).toHaveLength(3);
      expect(await usage.count('race')).toBe(3);
    });

    test('are listed by project', async () => {
      await usage.reset('z', 0, opened.time.nowMs);
      await usage.reset('a', 0, opened.time.nowMs);
      await opened.indexed();
      const projects = await usage.projects();

      expect(projects).toEqual(projects.toSorted());
      expect(projects).toEqual(expect.arrayContaining(['a', 'z']));
      expect(projects).not.toContain('new');
    });
  });
}
