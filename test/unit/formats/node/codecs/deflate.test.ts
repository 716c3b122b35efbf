import { randomBytes } from 'node:crypto';
import { inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Compress, DeflateSettings } from '../../../../../formats/engine/codecs.ts';
import { deflateOneShot, deflater, zstdCompressor, zstdOneShot } from '../../../../../formats/node/codecs/deflate.ts';

const RAW: DeflateSettings = { kind: 'raw', level: 6, memLevel: 9, windowBits: 12 };
const ZLIB: DeflateSettings = { kind: 'zlib', level: 6, memLevel: 9, windowBits: 15 };
const SIZE = 64 * 1024;

const CODECS: readonly [string, Compress, Compress, (bytes: Uint8Array) => Buffer][] = [
  ['raw', deflater(RAW), (block, target) => deflateOneShot(RAW, block, target), inflateRawSync],
  ['zlib', deflater(ZLIB), (block, target) => deflateOneShot(ZLIB, block, target), inflateSync],
  ['zstd', zstdCompressor(), zstdOneShot, zstdDecompressSync],
];

describe.each(CODECS)('%s blocks', (_, compress, oneShot, decompress) => {
  it('come back, are the same as of the one-shot call, and do not depend on the blocks before', () => {
    const target = Buffer.alloc(SIZE);
    const other = Buffer.alloc(SIZE);
    const texts = [Buffer.alloc(SIZE, 'some text '), Buffer.alloc(SIZE, 1), Buffer.alloc(4096, 'more of it')];
    for (const block of [...texts, ...texts.toReversed()]) {
      const length = compress(block, target);
      expect(length).toBeDefined();
      expect(oneShot(block, other)).toBe(length);
      expect(other.subarray(0, length).equals(target.subarray(0, length))).toBe(true);
      expect(decompress(target.subarray(0, length)).equals(block)).toBe(true);
    }
  });

  it('that do not shrink are told, and the next one is whole again', () => {
    const target = Buffer.alloc(SIZE);
    const text = Buffer.alloc(SIZE, 'some text ');

    expect(compress(randomBytes(SIZE), target)).toBeUndefined();
    expect(oneShot(randomBytes(SIZE), target)).toBeUndefined();
    const length = compress(text, target);
    expect(decompress(target.subarray(0, length)).equals(text)).toBe(true);
  });
});
