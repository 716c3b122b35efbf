import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { gunzippedSource } from '../../../../formats/engine/gunzipped.ts';
import { type ByteSource, memorySource } from '../../../../formats/engine/source.ts';

const MIB = 1024 * 1024;
/** Longer than what is kept of both ends; every 8 bytes tell where they stand. */
const DATA = Buffer.alloc(14 * MIB + 123);
for (let at = 0; at + 8 <= DATA.length; at += 8) DATA.writeDoubleBE(at, at);
const PACKED = gzipSync(DATA, { level: 1 });

describe('what is inside a gzip stream', () => {
  let passes = 0;
  let inside: ByteSource;
  beforeEach(async () => {
    const packed = memorySource(PACKED, 'etag');
    const counted: ByteSource = {
      ...packed,
      async read(offset, length) {
        if (offset === 0) passes++;
        return packed.read(offset, length);
      },
    };
    inside = await gunzippedSource(counted, DATA.length);
    passes = 0;
  });

  const expectRead = async (offset: number, length: number): Promise<void> => {
    expect(Buffer.from(await inside.read(offset, length)).equals(DATA.subarray(offset, offset + length))).toBe(true);
  };

  it('has its length and the identity of the whole, and both ends without another pass', async () => {
    expect(inside).toMatchObject({ size: DATA.length, etag: 'etag' });

    await expectRead(0, MIB);
    await expectRead(4 * MIB - 1, 1);
    await expectRead(DATA.length - 4 * MIB, 4 * MIB);
    await expectRead(DATA.length, 0);
    expect(passes).toBe(0);
  });

  it('is read in order in one pass, by several readers that overtake each other a little', async () => {
    const offsets = Array.from({ length: 40 }, (_, n) => 4 * MIB + (n ^ 1) * 150_000);

    await Promise.all(offsets.map((offset) => expectRead(offset, 150_000)));

    expect(passes).toBe(1);
  });

  it('is read over the borders of what is kept, and backwards in further passes', async () => {
    await expectRead(4 * MIB - 10, 6 * MIB + 20);
    await expectRead(4 * MIB + 1, 100);
    await expectRead(0, DATA.length);

    expect(passes).toBe(3);
  });

  it('is not read back and forth for ever', async () => {
    const readsBackAndForth = async (): Promise<void> => {
      for (let n = 0; n < 70; n++) await inside.read(n % 2 === 0 ? 9.5 * MIB : 4.5 * MIB, 10);
    };

    await expect(readsBackAndForth()).rejects.toMatchObject({ kind: 'LimitExceeded' });
    expect(passes).toBe(32);
  });

  it('has nothing behind its end', async () => {
    await expect(inside.read(DATA.length - 1, 2)).rejects.toMatchObject({ kind: 'Truncated' });
  });
});

describe('a gzip stream is not opened', () => {
  const zeros = gzipSync(Buffer.alloc(16 * MIB));

  it.each([
    ['that gives more than was declared', gzipSync(Buffer.alloc(1001)), 1000, 'LimitExceeded'],
    [
      'that shrank a thousandfold to hide its length',
      Buffer.concat(Array.from({ length: 17 }, () => zeros)),
      2 ** 50,
      'LimitExceeded',
    ],
    ['that is cut off', PACKED.subarray(0, -9), 2 ** 50, 'Truncated'],
    ['that is none', Buffer.from('not gzip at all'), 2 ** 50, 'Corrupt'],
  ])('%s', async (_, packed, maxBytes, kind) => {
    await expect(gunzippedSource(memorySource(packed), maxBytes)).rejects.toMatchObject({ kind });
  });

  it('but at exactly what was declared', async () => {
    expect((await gunzippedSource(memorySource(gzipSync(Buffer.alloc(1000))), 1000)).size).toBe(1000);
  });
});
