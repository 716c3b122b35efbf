import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openDecompressor } from '../../../../../formats/engine/decompress/decompress.ts';
import { FormatError } from '../../../../../formats/engine/errors.ts';
import { memorySource } from '../../../../../formats/engine/source.ts';
import { XZ_DATA as DATA } from '../../../../support/archives.ts';
import { BZIP2, BZIP2_SMALL_BLOCKS, LBZIP2, PBZIP2, RANDOMISED } from '../../../../support/bzip2-files.ts';

const EMPTY = Buffer.from('BZh9\x17rE8P\x90\0\0\0\0', 'latin1');

async function expand(bytes: Uint8Array, maxOutputBytes = 2 ** 30): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of openDecompressor('bzip2')(memorySource(bytes), { maxOutputBytes })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The stream with `count` bits from bit `at` on replaced. */
function withBits(stream: Buffer, at: number, count: number, value: number): Buffer {
  const out = Buffer.from(stream);
  for (let bit = 0; bit < count; bit++) {
    const mask = 0x80 >> ((at + bit) & 7);
    const byte = (at + bit) >> 3;
    const isSet = (Math.floor(value / 2 ** (count - 1 - bit)) & 1) === 1;
    out[byte] = isSet ? out[byte]! | mask : out[byte]! & ~mask;
  }
  return out;
}

describe('bzip2', () => {
  it.each([
    ['bzip2', BZIP2, DATA],
    ['bzip2 with several blocks', BZIP2_SMALL_BLOCKS, DATA],
    ['pbzip2, several streams', PBZIP2, DATA],
    ['lbzip2', LBZIP2, DATA],
    ['streams of different blocks', Buffer.concat([BZIP2_SMALL_BLOCKS, BZIP2]), Buffer.concat([DATA, DATA])],
    ['a randomised block', RANDOMISED, DATA.subarray(0, 3000)],
    ['nothing', EMPTY, Buffer.alloc(0)],
    ['nothing between streams', Buffer.concat([EMPTY, BZIP2, EMPTY]), DATA],
    ['zeros behind the last stream', Buffer.concat([BZIP2, Buffer.alloc(100)]), DATA],
  ])('reads what %s writes', async (_, bytes, expected) => {
    expect((await expand(bytes)).equals(expected)).toBe(true);
  });

  // Bits of the first block: its magic at 32, CRC at 80, randomised at 112, origin at 113, bytes that occur at 137.
  it.each([
    ['ends within a block', BZIP2.subarray(0, 300), 'Truncated', 'bzip2: the stream ends too soon'],
    ['ends before its CRC', BZIP2.subarray(0, -5), 'Truncated', 'bzip2: the stream ends too soon'],
    ['has rubbish behind it', Buffer.concat([BZIP2, Buffer.from('rubbish')]), 'Corrupt', /begin no stream/],
    ['has rubbish behind zeros', Buffer.concat([BZIP2, Buffer.from('\0x')]), 'Corrupt', /are not zeros/],
    ['has blocks of no size', withBits(BZIP2, 24, 8, 0x30), 'Corrupt', /begin no stream/],
    ['has smaller blocks than it says', withBits(BZIP2, 24, 8, 0x31), 'Corrupt', /more than the 100000 bytes/],
    ['has no block where one begins', withBits(BZIP2, 32, 8, 0), 'Corrupt', /begin no block/],
    ['states another CRC of its block', withBits(BZIP2, 80, 32, 0), 'Corrupt', /CRC of a block is [0-9a-f]{8}, it/],
    ['begins outside its block', withBits(BZIP2, 113, 24, 0xffffff), 'Corrupt', /is byte 16777215/],
    ['says that no byte occurs', withBits(BZIP2, 137, 16, 0), 'Corrupt', /no byte occurs/],
    ['states another CRC of nothing', withBits(EMPTY, 80, 32, 1), 'Corrupt', /CRC of the stream is 00000000/],
  ])('that %s is refused', async (_, bytes, kind, message) => {
    await expect(expand(bytes)).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
  });

  it('is never something else than it was, wherever it is damaged or cut off', async () => {
    const expected = DATA.subarray(0, 3000);
    const outcomes = new Set<string>();
    for (let bit = 0; bit < RANDOMISED.length * 8; bit++) {
      const flipped = Buffer.from(RANDOMISED);
      flipped[bit >> 3] = flipped[bit >> 3]! ^ (0x80 >> (bit & 7));
      const stream = bit % 2 === 0 ? flipped : RANDOMISED.subarray(0, bit >> 3);
      try {
        expect((await expand(stream)).equals(expected)).toBe(true);
        outcomes.add('whole');
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        outcomes.add(error.kind);
      }
    }
    // Whole: where the size of blocks, or the padding at the end, was changed.
    expect([...outcomes].sort()).toEqual(['Corrupt', 'Truncated', 'whole']);
  });

  it('ends at the limit of what may come out', async () => {
    await expect(expand(Buffer.concat(Array.from({ length: 50 }, () => BZIP2)), DATA.length)).rejects.toMatchObject({
      kind: 'LimitExceeded',
    });
  });
});

const hasBzip2 = spawnSync('bzip2', ['--help']).status === 0;
if (!hasBzip2) process.stdout.write('skipped: no program bzip2 to compare with\n');

describe.skipIf(!hasBzip2)('what the program bzip2 makes', () => {
  const packed = (bytes: Buffer, level: number): Buffer =>
    spawnSync('bzip2', [`-${level}c`], { input: bytes, maxBuffer: 2 ** 30 }).stdout;

  it('comes back, whatever it was', async () => {
    const run = fc.tuple(fc.nat(255), fc.integer({ min: 1, max: 1200 }), fc.nat(3));
    await fc.assert(
      fc.asyncProperty(fc.array(run, { maxLength: 120 }), fc.constantFrom(1, 9), async (runs, level) => {
        // Runs of one byte around the lengths that are counted (4, and 4 + 255), and bytes that differ.
        const parts = runs.map(([byte, length, step]) =>
          Buffer.from(Array.from({ length }, (_, n) => byte + n * step)),
        );
        const bytes = Buffer.concat(parts);
        expect((await expand(packed(bytes, level))).equals(bytes)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it('comes back when one byte is repeated over several blocks', async () => {
    const bytes = Buffer.alloc(5_000_000, 7);
    expect((await expand(packed(bytes, 1))).equals(bytes)).toBe(true);
  });
});
