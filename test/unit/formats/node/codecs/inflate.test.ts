import { createHash } from 'node:crypto';
import { deflateRawSync, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InflateKind } from '../../../../../formats/engine/codecs.ts';
import { Corrupt } from '../../../../../formats/engine/errors.ts';
import { inflateInto } from '../../../../../formats/engine/inflate/into.ts';
import { inflateOneShot, inflateUpTo } from '../../../../../formats/node/codecs/inflate.ts';

const DEFLATE = { raw: deflateRawSync, zlib: deflateSync } as const;
const kinds = fc.constantFrom<InflateKind>('raw', 'zlib');

/** What a decoder did: the bytes, or that it refused. */
function outcome(decode: typeof inflateUpTo, kind: InflateKind, input: Uint8Array, length: number): string {
  const target = new Uint8Array(length);
  try {
    const count = decode(kind, input, target);
    return createHash('md5').update(target.subarray(0, count)).digest('hex');
  } catch (error) {
    if (error instanceof Corrupt) return 'refused';
    throw error;
  }
}

describe('inflateInto', () => {
  it('gives back what was deflated, whatever stands behind the stream', () => {
    fc.assert(
      fc.property(kinds, fc.uint8Array({ minLength: 1, maxLength: 5000 }), fc.uint8Array(), (kind, bytes, trailing) => {
        const target = new Uint8Array(bytes.length);
        inflateInto(kind, Buffer.concat([DEFLATE[kind](bytes), trailing]), target);
        expect(Buffer.from(target).equals(bytes)).toBe(true);
      }),
    );
  });

  it.each(['raw', 'zlib'] as const)('refuses a %s stream that gives less or more than the block', (kind) => {
    const stream = DEFLATE[kind](Buffer.alloc(1000, 'x'));

    expect(() => inflateInto(kind, stream, new Uint8Array(1001))).toThrow(Corrupt);
    expect(() => inflateInto(kind, stream, new Uint8Array(999))).toThrow(Corrupt);
  });

  it('works on after a damaged stream', () => {
    const target = new Uint8Array(3);

    expect(() => inflateInto('raw', Buffer.from([0xff, 0xff]), target)).toThrow(Corrupt);
    inflateInto('raw', deflateRawSync('abc'), target);

    expect(Buffer.from(target).toString()).toBe('abc');
  });

  it('agrees with the one-shot call on damaged streams', () => {
    const stream = deflateRawSync(Buffer.from('disk image '.repeat(200)));
    fc.assert(
      fc.property(fc.nat(stream.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(stream);
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        expect(outcome(inflateUpTo, 'raw', damaged, 2200)).toBe(outcome(inflateOneShot, 'raw', damaged, 2200));
      }),
    );
  });
});
