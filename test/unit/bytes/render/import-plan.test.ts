import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchCount, runsOf, slicesOfBatch, slicesPerBatch, sliceTotal } from '../../../../bytes/render/import-plan.ts';

const sliceNumbers = fc.uniqueArray(fc.nat(5000)).map((numbers) => numbers.toSorted((a, b) => a - b));

describe('plan of an import', () => {
  it('joins neighbouring slices into runs', () => {
    expect(runsOf([0, 1, 2, 7, 9, 10])).toEqual([
      [0, 3],
      [7, 1],
      [9, 2],
    ]);
  });

  it('gives every slice to exactly one batch, in order', () => {
    fc.assert(
      fc.property(sliceNumbers, fc.integer({ min: 1, max: 40 }), (slices, perBatch) => {
        const plan = { runs: runsOf(slices), slicesPerBatch: perBatch };
        const batches = Array.from({ length: batchCount(plan) }, (_, n) => slicesOfBatch(plan, n));

        expect(sliceTotal(plan)).toBe(slices.length);
        expect(batches.flat()).toEqual(slices);
        expect(batches.every((batch) => batch.length > 0 && batch.length <= perBatch)).toBe(true);
      }),
    );
  });

  it('keeps the number of batches within what one map takes', () => {
    for (const slices of [1, 4000, 16_384, 65_536, 1_000_000]) {
      expect(Math.ceil(slices / slicesPerBatch(slices))).toBeLessThanOrEqual(1000);
    }
  });
});
