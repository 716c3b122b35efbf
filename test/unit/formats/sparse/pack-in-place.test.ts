import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packSlice } from '../../../../formats/engine/sparse/pack.ts';

const BLOCK = 4096;

describe('packSlice within the slice', () => {
  it('gives what packSlice gives', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), fc.nat(BLOCK - 1), (blocks, tail) => {
        const slice = Buffer.alloc((blocks.length - 1) * BLOCK + tail + 1);
        blocks.forEach((hasData, n) => {
          if (hasData) slice.fill(n + 1, n * BLOCK, Math.min((n + 1) * BLOCK, slice.length));
        });
        const expected = packSlice(Buffer.from(slice), BLOCK);

        const packed = packSlice(slice, BLOCK, slice);

        expect(Buffer.from(packed.bitmap)).toEqual(Buffer.from(expected.bitmap));
        expect(Buffer.from(packed.segment)).toEqual(Buffer.from(expected.segment));
        expect(packed.crc32).toBe(expected.crc32);
      }),
    );
  });
});
