import { createHash } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Corrupt } from '../../../../formats/engine/errors.ts';
import { unzstdInto } from '../../../../formats/engine/zstd.ts';
import { frameOneShot } from '../../../../formats/node/codecs/zstd.ts';

const TEXT = Buffer.from('disk image '.repeat(200));

/** A frame of one stored block that does not tell its content's size (RFC 8878 section 3.1.1). */
function frameWithoutSize(bytes: Uint8Array): Buffer {
  const header = (bytes.length << 3) | 1;
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, header & 255, (header >> 8) & 255, header >> 16, ...bytes]);
}

/** What a decoder did: the bytes, or that it refused. */
function outcome(input: Uint8Array, length: number, decode?: typeof frameOneShot): string {
  const target = new Uint8Array(length);
  try {
    unzstdInto(input, target, decode);
    return createHash('md5').update(target).digest('hex');
  } catch (error) {
    if (error instanceof Corrupt) return 'refused';
    throw error;
  }
}

describe('unzstdInto', () => {
  it('gives back what was compressed into one frame or two, whatever stands behind', () => {
    const block = fc.uint8Array({ minLength: 1, maxLength: 5000 });
    fc.assert(
      fc.property(block, block, fc.uint8Array(), (one, two, trailing) => {
        const bytes = Buffer.concat([one, two]);
        const target = new Uint8Array(bytes.length);
        unzstdInto(Buffer.concat([zstdCompressSync(one), zstdCompressSync(two), trailing]), target);
        expect(Buffer.from(target).equals(bytes)).toBe(true);
      }),
    );
  });

  it.each([
    ['of a known size', zstdCompressSync(TEXT)],
    ['of an unknown size', frameWithoutSize(TEXT)],
  ])('refuses a frame %s that gives less or more than the block, and works on', (_, frame) => {
    const target = new Uint8Array(TEXT.length);

    expect(() => unzstdInto(frame, new Uint8Array(TEXT.length + 1))).toThrow(Corrupt);
    expect(() => unzstdInto(frame, new Uint8Array(TEXT.length - 1))).toThrow(Corrupt);
    expect(() => unzstdInto(frame.subarray(0, -1), target)).toThrow(Corrupt);
    unzstdInto(frame, target);

    expect(Buffer.from(target).equals(TEXT)).toBe(true);
  });

  it('refuses a window that no cluster needs', () => {
    const frame = frameWithoutSize(TEXT);
    frame[5] = 14 << 3;

    expect(() => unzstdInto(frame, new Uint8Array(TEXT.length))).toThrow(Corrupt);
  });

  it('agrees with the one-shot call on damaged frames', () => {
    const frame = zstdCompressSync(TEXT);
    fc.assert(
      fc.property(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(frame);
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        expect(outcome(damaged, TEXT.length)).toBe(outcome(damaged, TEXT.length, frameOneShot));
      }),
    );
  });
});
