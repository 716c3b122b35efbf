import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { learnedRates } from '../../../../core/tasks/eta.ts';
import { progressOf } from '../../../../core/tasks/progress.ts';
import type { BatchProgress } from '../../../../core/tasks/task.ts';

const batch = (
  phase: string,
  bytesDone: number,
  bytesTotal: number,
  times: { from: number; to: number },
  n = 0,
): BatchProgress => ({
  taskId: 't',
  phase,
  batch: n,
  bytesDone,
  bytesTotal,
  startedAtMs: times.from,
  atMs: times.to,
});

describe('progress of a task', () => {
  it('is bytes done of bytes to do, over all phases', () => {
    const progress = progressOf(
      { work: { render: 300, hash: 100 } },
      [batch('render', 150, 300, { from: 0, to: 1000 })],
      1000,
    );

    expect(progress).toMatchObject({ phase: 'render', percent: 37, bytesDone: 150, bytesTotal: 400 });
  });

  it('adds what remains of each phase at the rate of that phase', () => {
    const batches = [
      batch('render', 1000, 1000, { from: 0, to: 10_000 }),
      batch('hash', 500, 1000, { from: 10_000, to: 12_000 }),
    ];

    // render is done; hash did 500 in 2 s and has 500 to go
    expect(progressOf({ work: { render: 1000, hash: 1000 } }, batches, 12_000).etaSeconds).toBe(2);
  });

  it('assumes for a phase that has not begun the rate that earlier imports had', () => {
    const batches = [batch('render', 500, 1000, { from: 0, to: 5000 })];

    // 500 of 1000 in 5 s: 5 s more, 10 s for the 1000 of hash, and a moment for the steps
    expect(progressOf({ work: { render: 1000, hash: 1000 }, rates: { hash: 100 } }, batches, 5000).etaSeconds).toBe(16);
  });

  it('waits for the slowest of what runs side by side', () => {
    const work = { hash: 1000, 'copy:near': 1000, 'copy:far': 1000 };
    const batches = [
      batch('hash', 500, 1000, { from: 0, to: 4000 }),
      batch('copy:near', 1000, 1000, { from: 0, to: 3000 }),
      batch('copy:far', 100, 1000, { from: 0, to: 4000 }),
    ];

    expect(progressOf({ work }, batches, 4000).etaSeconds).toBe(36);
  });

  it('goes by the pace of late, not by that of the beginning', () => {
    const slowed = {
      ...batch('fetch', 700, 1000, { from: 0, to: 15_000 }),
      earlier: { bytesDone: 600, atMs: 10_000 },
    };

    expect(progressOf({ work: { fetch: 1000 } }, [slowed], 15_000).etaSeconds).toBe(15);
  });

  it('takes the age of the last report off, until it is silence', () => {
    const batches = [batch('hash', 400, 1000, { from: 0, to: 4000 })];
    const etaAt = (nowMs: number) => progressOf({ work: { hash: 1000 } }, batches, nowMs).etaSeconds;

    expect(etaAt(4000)).toBe(6);
    expect(etaAt(6000)).toBe(4);
    expect(etaAt(12_000)).toBeGreaterThan(12);
  });

  it('says nothing of the end before there is a rate', () => {
    expect(progressOf({ work: { render: 1000 } }, [], 1).etaSeconds).toBeUndefined();
  });

  it('never reaches 100 before the task ends, nor counts more than there is', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10_000)), fc.integer({ min: 1, max: 10_000 }), (done, total) => {
        const batches = done.map((bytes, n) => batch('render', bytes, total, { from: 0, to: 10 }, n));
        const progress = progressOf({ work: { render: total } }, batches, 20);
        expect(progress.percent).toBeGreaterThanOrEqual(0);
        expect(progress.percent).toBeLessThanOrEqual(99);
        expect(progress.bytesDone).toBeLessThanOrEqual(total);
      }),
    );
  });
});

describe('rates that an import teaches', () => {
  it('are those of its phases, halfway from what was known', () => {
    const batches = [
      batch('render', 500, 500, { from: 0, to: 4000 }, 0),
      batch('render', 500, 500, { from: 1000, to: 5000 }, 1),
      batch('hash', 1000, 1000, { from: 5000, to: 10_000 }),
    ];

    expect(learnedRates(batches, { hash: 100, assemble: 7 })).toEqual({ render: 200, hash: 150, assemble: 7 });
  });

  it('are none for a phase too short to tell, nor for a download: the next server is another one', () => {
    const batches = [batch('render', 9, 9, { from: 0, to: 50 }), batch('fetch', 9, 9, { from: 0, to: 9000 })];

    expect(learnedRates(batches, {})).toEqual({});
  });
});
