import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { progressOf } from '../../../core/tasks/progress.ts';
import type { BatchProgress } from '../../../core/tasks/task.ts';

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
    const progress = progressOf({ render: 300, hash: 100 }, [batch('render', 150, 300, { from: 0, to: 1000 })], 1000);

    expect(progress).toMatchObject({ phase: 'render', percent: 37, bytesDone: 150, bytesTotal: 400 });
  });

  it('adds what remains of each phase at the rate of that phase', () => {
    const batches = [
      batch('render', 1000, 1000, { from: 0, to: 10_000 }),
      batch('hash', 500, 1000, { from: 10_000, to: 12_000 }),
    ];

    // render is done; hash did 500 in 2 s and has 500 to go
    expect(progressOf({ render: 1000, hash: 1000 }, batches, 12_000).etaSeconds).toBe(2);
  });

  it('assumes the common rate for a phase that has not begun', () => {
    // 500 of 1000 in 5 s: 5 s more, and 10 s for the 1000 of hash
    expect(
      progressOf({ render: 1000, hash: 1000 }, [batch('render', 500, 1000, { from: 0, to: 5000 })], 5000).etaSeconds,
    ).toBe(15);
  });

  it('says nothing of the end before there is a rate', () => {
    expect(progressOf({ render: 1000 }, [], 1).etaSeconds).toBeUndefined();
  });

  it('never reaches 100 before the task ends, nor counts more than there is', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10_000)), fc.integer({ min: 1, max: 10_000 }), (done, total) => {
        const batches = done.map((bytes, n) => batch('render', bytes, total, { from: 0, to: 10 }, n));
        const progress = progressOf({ render: total }, batches, 20);
        expect(progress.percent).toBeGreaterThanOrEqual(0);
        expect(progress.percent).toBeLessThanOrEqual(99);
        expect(progress.bytesDone).toBeLessThanOrEqual(total);
      }),
    );
  });
});
