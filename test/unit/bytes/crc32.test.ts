import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { combineCrc32, crc32Header } from '../../../bytes/crc32.ts';

it('combines the checksums of two parts to that of the whole', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), fc.uint8Array({ maxLength: 5000 }), (first, second) => {
      const whole = crc32(Buffer.concat([first, second]));
      expect(combineCrc32(crc32(first), crc32(second), second.length)).toBe(whole);
    }),
  );
});

it('combines lengths beyond 32 bits', () => {
  // 6 GiB of zeros after "a", by halves: combining is associative.
  const half = 3 * 1024 ** 3;
  const zeros = (bytes: number): number => {
    if (bytes < 4096) return crc32(Buffer.alloc(bytes));
    const part = zeros(bytes / 2);
    return combineCrc32(part, part, bytes / 2);
  };
  const stepwise = combineCrc32(combineCrc32(crc32('a'), zeros(half), half), zeros(half), half);

  expect(combineCrc32(crc32('a'), zeros(2 * half), 2 * half)).toBe(stepwise);
});

it('writes the header as base64 of the big-endian value', () => {
  expect(crc32Header(crc32('123456789'))).toBe('y/Q5Jg==');
});
