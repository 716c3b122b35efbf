import fc from 'fast-check';
import { expect, it } from 'vitest';
import { byteRange } from '../../../gateway/byte-range.ts';

it('asks for the whole without a header', () => {
  expect(byteRange(undefined, undefined, 10)).toEqual({ start: 0, end: 10, partial: false });
  expect(byteRange(undefined, undefined, 0)).toEqual({ start: 0, end: 0, partial: false });
});

it('prefers Range to Content-Range', () => {
  expect(byteRange('bytes=1-2', 'bytes 3-4/*', 10)).toEqual({ start: 1, end: 3, partial: true });
});

it('gives a range within the image, or refuses', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(1000), fc.nat(1000), fc.nat(1000), (junk, a, b, size) => {
      for (const header of [`bytes=${a}-${b}`, `bytes=${a}-`, `bytes=-${b}`, `bytes=${junk}`]) {
        try {
          const { start, end } = byteRange(header, undefined, size);
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(size);
        } catch (error) {
          expect((error as { kind?: string }).kind).toMatch(/^(InvalidInput|RangeNotSatisfiable)$/);
        }
      }
    }),
  );
});
