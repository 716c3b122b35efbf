import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NO_USAGE, type ProjectUsage, type UsageRepository } from '../../../core/quota/usage.ts';

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
    const amount = (of: Partial<ProjectUsage>): ProjectUsage => ({ ...NO_USAGE, ...of });
    const images = async (project: string) => (await usage.of(project))?.usage.images;

    test('are unknown until they are set', async () => {
      expect(await usage.of('new')).toBeUndefined();
      expect(await usage.add('new', amount({ images: 1 }), { images: 10 })).toBe('unknown');
      expect(await usage.add('new', amount({ images: -1 }))).toBe('unknown');
      expect(await usage.of('new')).toBeUndefined();
    });

    test('go up to the ceiling and no further, down and anywhere without one', async () => {
      await usage.reset('p', amount({ images: 3 }), opened.time.nowMs);

      expect(await usage.add('p', amount({ images: 1 }), { images: 4 })).toBe('added');
      expect(await usage.add('p', amount({ images: 1 }), { images: 4 })).toBe('over');
      expect(await images('p')).toBe(4);
      expect(await usage.add('p', amount({ images: -2 }))).toBe('added');
      expect(await usage.add('p', amount({ images: 7 }))).toBe('added');
      expect(await images('p')).toBe(9);
    });

    test('take all of an amount or nothing; only what grows meets its ceiling', async () => {
      const ceilings = { storedBytes: 10, uploading: 1 };
      await usage.reset('all', { storedBytes: 5, stagedBytes: 7, images: 1, uploading: 2 }, opened.time.nowMs);

      expect(await usage.add('all', amount({ storedBytes: 5, uploading: 1 }), ceilings)).toBe('over');
      expect(await usage.add('all', amount({ storedBytes: 5, stagedBytes: 1, uploading: -1 }), ceilings)).toBe('added');
      expect(await usage.of('all')).toMatchObject({
        usage: { storedBytes: 10, stagedBytes: 8, images: 1, uploading: 1 },
        ceilings,
      });
    });

    test('keep the ceilings that were given last', async () => {
      await usage.reset('kept', NO_USAGE, opened.time.nowMs);
      expect((await usage.of('kept'))?.ceilings).toBeUndefined();
      await usage.add('kept', amount({ images: 1 }), { images: 3 });
      await usage.add('kept', amount({ images: 1 }));

      expect((await usage.of('kept'))?.ceilings).toEqual({ images: 3 });
    });

    test('are not reset when they were touched since, and say when', async () => {
      const { time } = opened;
      await usage.reset('q', amount({ images: 3 }), time.nowMs);
      const countedAtMs = time.nowMs;
      time.nowMs += 10_000;
      await usage.add('q', amount({ images: 1 }));
      expect(await usage.of('q')).toMatchObject({ countedAtMs, touchedAtMs: time.nowMs, isTouched: true });

      await usage.reset('q', amount({ images: 9 }), time.nowMs);
      expect(await images('q')).toBe(4);
      await usage.reset('q', amount({ images: 9 }), time.nowMs + 1);
      expect(await usage.of('q')).toMatchObject({ usage: { images: 9 }, isTouched: false });
      await usage.reset('q', amount({ images: 1 }), time.nowMs);
      expect(await images('q')).toBe(9);
    });

    test('let as many of many reservations through as fit', async () => {
      await usage.reset('race', NO_USAGE, opened.time.nowMs);
      const adds = Array.from({ length: 100 }, () => usage.add('race', amount({ images: 1 }), { images: 63 }));
      const outcomes = await Promise.all(adds);

      expect(outcomes.filter((outcome) => outcome === 'added')).toHaveLength(63);
      expect(await images('race')).toBe(63);
    });

    test('are listed by project', async () => {
      await usage.reset('z', NO_USAGE, opened.time.nowMs);
      await usage.reset('a', NO_USAGE, opened.time.nowMs);
      await opened.indexed();
      const projects = await usage.projects();

      expect(projects).toEqual(projects.toSorted());
      expect(projects).toEqual(expect.arrayContaining(['a', 'z']));
      expect(projects).not.toContain('new');
    });
  });
}
