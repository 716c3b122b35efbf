import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { constants, deflateRawSync, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InflateKind } from '../../../../../formats/engine/codecs.ts';
import { Corrupt } from '../../../../../formats/engine/errors.ts';
import { inflateInto } from '../../../../../formats/engine/inflate/into.ts';
import { InflatePairs } from '../../../../../formats/engine/inflate/pair.ts';
import { SOURCE_SHA256 } from '../../../../../formats/engine/inflate/pair-wasm.ts';

/** Bytes that make deflate use every kind of block and code: each draw of `value` decides the kind of a stretch. */
const bytes = fc
  .array(fc.tuple(fc.nat(4), fc.integer({ min: 1, max: 6000 }), fc.integer()), { minLength: 1, maxLength: 12 })
  .map((stretches) => Buffer.concat(stretches.map(([kind, length, seed]) => stretch(kind, length, seed))));

function stretch(kind: number, length: number, seed: number): Buffer {
  const out = Buffer.alloc(length);
  let state = seed | 1;
  for (let at = 0; at < length; at++) {
    state = Math.imul(state, 1_664_525) + 1_013_904_223;
    const random = (state >>> 8) & 0xff;
    // Random, one byte, few bytes, bytes that get rarer and rarer (long codes), a text that comes again.
    out[at] = [random, seed & 0xff, random & 3, Math.clz32(state) * 8 + (random & 7), at % 61][kind] ?? 0;
  }
  return out;
}

const settings = fc.record({
  level: fc.nat(9),
  windowBits: fc.integer({ min: 9, max: 15 }),
  memLevel: fc.integer({ min: 1, max: 9 }),
  strategy: fc.constantFrom(
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
    constants.Z_FIXED,
    constants.Z_FILTERED,
  ),
});

const DEFLATE = { raw: deflateRawSync, zlib: deflateSync } as const;
const KINDS = ['raw', 'zlib'] as const;

/** A block, its stream, and what may stand behind that. */
const blocksOf = (kind: InflateKind) =>
  fc
    .tuple(bytes, settings, fc.uint8Array({ maxLength: 40 }))
    .map(([block, options, behind]) => ({ block, stream: Buffer.concat([DEFLATE[kind](block, options), behind]) }));

function inflatePair(kind: InflateKind, streams: readonly Uint8Array[], lengths: readonly number[]): Uint8Array[] {
  const pairs = new InflatePairs(kind);
  const targets = lengths.map((length) => new Uint8Array(length));
  for (const [index, stream] of streams.entries()) pairs.add(stream, targets[index] ?? new Uint8Array(0));
  pairs.end();
  return targets;
}

function refuses(kind: InflateKind, stream: Uint8Array, length: number): boolean {
  try {
    inflateInto(kind, stream, new Uint8Array(length));
    return false;
  } catch (error) {
    if (error instanceof Corrupt) return true;
    throw error;
  }
}

describe('InflatePairs', () => {
  it.each(KINDS)(
    'gives back what was deflated (%s), whatever the settings and whatever stands behind the stream',
    (kind) => {
      const blocks = blocksOf(kind);
      fc.assert(
        fc.property(blocks, blocks, blocks, (a, b, c) => {
          const [first, second, third] = inflatePair(
            kind,
            [a.stream, b.stream, c.stream],
            [a.block.length, b.block.length, c.block.length],
          );

          expect(a.block.equals(first ?? Buffer.alloc(0))).toBe(true);
          expect(b.block.equals(second ?? Buffer.alloc(0))).toBe(true);
          expect(c.block.equals(third ?? Buffer.alloc(0))).toBe(true);
        }),
        { numRuns: 80 },
      );
    },
  );

  it.each(KINDS)('accepts exactly what zlib accepts (%s), and then gives the same bytes', (kind) => {
    const blocks = blocksOf(kind);
    fc.assert(
      fc.property(blocks, blocks, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(7), (a, b, where, bit) => {
        // The header of a stream is where damage makes odd codes.
        const at = Math.floor((where < 0.5 ? Math.min(200, a.stream.length) : a.stream.length) * where * 0.999);
        const damaged = Buffer.from(a.stream);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
        const lengths = [a.block.length, b.block.length];

        if (refuses(kind, damaged, a.block.length)) {
          expect(() => inflatePair(kind, [damaged, b.stream], lengths)).toThrow(Corrupt);
        } else {
          const expected = new Uint8Array(a.block.length);
          inflateInto(kind, damaged, expected);
          const [first, second] = inflatePair(kind, [damaged, b.stream], lengths);
          expect(Buffer.from(first ?? []).equals(expected)).toBe(true);
          expect(b.block.equals(second ?? Buffer.alloc(0))).toBe(true);
        }
      }),
      { numRuns: 160 },
    );
  });

  it.each([-1, 1])('refuses a stream that is %i bytes from the length of its block', (off) => {
    const block = Buffer.from('disk image '.repeat(300));
    const stream = deflateRawSync(block);

    expect(() => inflatePair('raw', [stream, stream], [block.length + off, block.length])).toThrow(Corrupt);
    expect(() => inflatePair('raw', [stream, stream], [block.length, block.length + off])).toThrow(Corrupt);
  });

  it('takes a stream without its end when all bytes of the block are there, as zlib does', () => {
    const block = Buffer.alloc(5000, 'abc');
    const cut = deflateRawSync(block, { finishFlush: constants.Z_SYNC_FLUSH });

    expect(refuses('raw', cut, 5000)).toBe(false);
    expect(inflatePair('raw', [cut, cut], [5000, 5000]).every((target) => block.equals(target))).toBe(true);
  });

  it('takes blocks that are too long for a pair', () => {
    const long = stretch(3, 300_000, 5);
    const short = stretch(1, 1000, 5);

    const [first, second] = inflatePair(
      'raw',
      [deflateRawSync(long), deflateRawSync(short)],
      [long.length, short.length],
    );

    expect(long.equals(first ?? Buffer.alloc(0))).toBe(true);
    expect(short.equals(second ?? Buffer.alloc(0))).toBe(true);
  });

  it.each([1, 3000, 65_536])('notices a wrong checksum behind %i bytes', (length) => {
    const block = stretch(0, length, 11);
    const stream = deflateSync(block);
    const wrong = Buffer.from(stream);
    wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1;

    expect(inflatePair('zlib', [stream, stream], [length, length]).every((target) => block.equals(target))).toBe(true);
    expect(() => inflatePair('zlib', [stream, wrong], [length, length])).toThrow(Corrupt);
    expect(() => inflatePair('zlib', [wrong, stream], [length, length])).toThrow(Corrupt);
  });

  it('runs what its source says', () => {
    const source = readFileSync(new URL('../../../../../formats/engine/inflate/pair.as', import.meta.url));

    expect(createHash('sha256').update(source).digest('hex'), 'node scripts/build-inflate.ts').toBe(SOURCE_SHA256);
  });
});
