import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Codecs, InflateKind, StreamKind } from '../../../../formats/engine/codecs.ts';
import { Corrupt, Truncated } from '../../../../formats/engine/errors.ts';
import { inflateInto } from '../../../../formats/engine/inflate/into.ts';
import * as nodeBytes from '../../../../formats/node/codecs/bytes.ts';
import * as nodeCrc32 from '../../../../formats/node/codecs/crc32.ts';
import * as nodeDigest from '../../../../formats/node/codecs/digest.ts';
import * as nodeExpand from '../../../../formats/node/codecs/expand.ts';
import * as nodeInflate from '../../../../formats/node/codecs/inflate.ts';
import * as nodePeek from '../../../../formats/node/codecs/peek.ts';
import * as nodeZstd from '../../../../formats/node/codecs/zstd.ts';
import * as webBytes from '../../../../formats/web/codecs/bytes.ts';
import * as webCrc32 from '../../../../formats/web/codecs/crc32.ts';
import * as webDigest from '../../../../formats/web/codecs/digest.ts';
import * as webExpand from '../../../../formats/web/codecs/expand.ts';
import * as webInflate from '../../../../formats/web/codecs/inflate.ts';
import * as webPeek from '../../../../formats/web/codecs/peek.ts';
import * as webZstd from '../../../../formats/web/codecs/zstd.ts';
import { collect } from '../../../support/collect.ts';

/** Both implementations have every name of the port, and answer alike. */
const NODE: Codecs = {
  ...nodeBytes,
  ...nodeCrc32,
  ...nodeDigest,
  ...nodeExpand,
  ...nodeInflate,
  ...nodePeek,
  ...nodeZstd,
};
const WEB: Codecs = { ...webBytes, ...webCrc32, ...webDigest, ...webExpand, ...webInflate, ...webPeek, ...webZstd };

const DEFLATE = { raw: deflateRawSync, zlib: deflateSync } as const;
const TEXT = Buffer.from(Array.from({ length: 300 }, (_, line) => `line ${line * line} of a disk image\n`).join(''));
const kinds = fc.constantFrom<InflateKind>('raw', 'zlib');
const levels = fc.constantFrom(0, 1, 6, 9);

/** What a decoder did: the bytes as hex, or that it refused. */
function outcome(decode: (target: Uint8Array) => number, length: number): string {
  const target = new Uint8Array(length);
  try {
    return Buffer.from(target.subarray(0, decode(target))).toString('hex');
  } catch (error) {
    if (error instanceof Corrupt) return 'refused';
    throw error;
  }
}

function flipped(stream: Uint8Array, at: number, flip: number): Buffer {
  const damaged = Buffer.from(stream);
  damaged[at % damaged.length] = (damaged[at % damaged.length] ?? 0) ^ flip;
  return damaged;
}

describe('inflateUpTo of the web', () => {
  it('gives back what was deflated, whatever stands behind the stream', () => {
    fc.assert(
      fc.property(
        kinds,
        levels,
        fc.uint8Array({ minLength: 1, maxLength: 3000 }),
        fc.uint8Array(),
        (kind, level, bytes, behind) => {
          const target = new Uint8Array(bytes.length);
          inflateInto(kind, Buffer.concat([DEFLATE[kind](bytes, { level }), behind]), target, WEB.inflateUpTo);
          expect(Buffer.from(target).equals(bytes)).toBe(true);
        },
      ),
    );
  });

  it('answers as zlib does to streams that are damaged, cut off, or longer than the room', () => {
    fc.assert(
      fc.property(
        kinds,
        levels,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.nat(),
        fc.nat(2),
        (kind, level, at, flip, cut, how) => {
          const stream = DEFLATE[kind](TEXT, { level });
          const input =
            how === 0 ? flipped(stream, at, flip) : how === 1 ? stream.subarray(0, cut % stream.length) : stream;
          const room = how === 2 ? at % (TEXT.length + 2) : TEXT.length;
          expect(outcome((target) => WEB.inflateUpTo(kind, input, target), room)).toBe(
            outcome((target) => NODE.inflateUpTo(kind, input, target), room),
          );
        },
      ),
      { numRuns: 400 },
    );
  });

  it('refuses a block that is not full', () => {
    const target = new Uint8Array(TEXT.length + 1);

    expect(() => inflateInto('raw', deflateRawSync(TEXT), target, WEB.inflateUpTo)).toThrow(Corrupt);
  });
});

describe('decodeFrame of the web', () => {
  it('gives back what was compressed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 3000 }), (bytes) => {
        const room = new Uint8Array(bytes.length + 1);
        expect(WEB.decodeFrame(zstdCompressSync(bytes), room)).toBe(bytes.length);
        expect(Buffer.from(room.subarray(0, bytes.length)).equals(bytes)).toBe(true);
      }),
    );
  });

  it('refuses what is cut off, longer than the room, or wants a window that no cluster needs', () => {
    const frame = zstdCompressSync(TEXT);
    const wide = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 14 << 3, 1, 0, 0]);

    expect(() => WEB.decodeFrame(frame.subarray(0, -1), new Uint8Array(TEXT.length))).toThrow(Corrupt);
    expect(() => WEB.decodeFrame(frame, new Uint8Array(TEXT.length - 1))).toThrow(Corrupt);
    expect(() => WEB.decodeFrame(wide, new Uint8Array(TEXT.length))).toThrow(Corrupt);
  });

  it('ends with bytes or a refusal, whatever is damaged', () => {
    const frame = zstdCompressSync(TEXT);
    fc.assert(
      fc.property(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        outcome((target) => WEB.decodeFrame(flipped(frame, at, flip), target), TEXT.length);
      }),
    );
  });
});

describe('checksums of the web', () => {
  it('are those of Node, in one piece and in two', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (one, two) => {
        expect(WEB.crc32(two, WEB.crc32(one))).toBe(NODE.crc32(two, NODE.crc32(one)));
        for (const algorithm of ['sha1', 'sha256', 'sha512'] as const) {
          const digests = [WEB.createDigest(algorithm), NODE.createDigest(algorithm)];
          for (const digest of digests) for (const bytes of [one, two]) digest.update(bytes);
          const [web, node] = digests.map((digest) => digest.hex());
          expect(web).toBe(node);
        }
      }),
    );
  });
});

describe.each([
  ['node', NODE],
  ['web', WEB],
])('isZero of %s', (_, { isZero, uninitialized }) => {
  it('sees a byte anywhere, wherever the bytes lie in memory', () => {
    const bytes = new Uint8Array(70_000);
    for (const start of [0, 1, 8]) {
      const part = bytes.subarray(start, start + 66_003);
      expect(isZero(part)).toBe(true);
      for (const at of [0, 7, 65_536, 66_002]) {
        part[at] = 1;
        expect(isZero(part)).toBe(false);
        part[at] = 0;
      }
    }
    expect(isZero(new Uint8Array(0))).toBe(true);
  });

  it('comes with memory of the length that was asked for', () => {
    expect(uninitialized(4097)).toHaveLength(4097);
  });
});

describe.each([
  ['node', NODE],
  ['web', WEB],
])('the beginning of a stream, of %s', (_, { gunzipBeginning, unzstdBeginning }) => {
  it.each([
    ['plain', gzipSync(TEXT)],
    [
      'with a name',
      Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]), Buffer.from('initrd\0'), deflateRawSync(TEXT)]),
    ],
  ])('is what comes out of a gzip member %s that goes on', (__, member) => {
    const out = Buffer.from(gunzipBeginning(member.subarray(0, 400)));

    expect(out.length).toBeGreaterThan(100);
    expect(TEXT.subarray(0, out.length).equals(out)).toBe(true);
  });

  it('is what comes out of the first block of a zstd frame', () => {
    const bytes = Buffer.concat(Array.from({ length: 40 }, () => TEXT));
    const frame = zstdCompressSync(bytes);
    // No dictionary, and a content size in four bytes: the header is magic, descriptor, (window,) size.
    const at = 5 + ((frame[4]! & 0x20) !== 0 ? 0 : 1) + [1, 2, 4, 8][frame[4]! >> 6]!;
    const length = (frame[at]! | (frame[at + 1]! << 8) | (frame[at + 2]! << 16)) >> 3;

    const out = Buffer.from(unzstdBeginning(frame.subarray(0, at + 3 + length)));

    expect(out.length).toBeGreaterThan(0);
    expect(bytes.subarray(0, out.length).equals(out)).toBe(true);
  });

  it('is an error when there is no such stream', () => {
    expect(() => gunzipBeginning(Buffer.from('no gzip member at all'))).toThrow();
    expect(() => unzstdBeginning(Buffer.from('no zstd frame at all, at all'))).toThrow();
  });
});

const COMPRESS: Readonly<Record<StreamKind, (bytes: Buffer) => Buffer>> = {
  gzip: gzipSync,
  deflate: deflateRawSync,
  zstd: zstdCompressSync,
};

async function* pieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield Uint8Array.from(bytes.subarray(at, at + length));
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await collect(chunks));
}

describe.each([
  ['node', NODE],
  ['web', WEB],
])('expand of %s', (platform, { expand }) => {
  describe.each(['gzip', 'deflate', 'zstd'] as const)('%s', (kind) => {
    const stream = COMPRESS[kind](Buffer.concat([TEXT, Buffer.alloc(300_000), TEXT]));

    it.each([1, 7, 100_000])('gives back what was compressed, in pieces of %i', async (length) => {
      const out = await all(expand(kind, pieces(stream, length), 'a stream'));
      expect(out.equals(Buffer.concat([TEXT, Buffer.alloc(300_000), TEXT]))).toBe(true);
    });

    it('says that a stream ends too soon', async () => {
      // A browser's gzip and deflate do not tell why they refuse.
      const kindOf = platform === 'web' && kind !== 'zstd' ? Corrupt : Truncated;
      await expect(all(expand(kind, pieces(stream.subarray(0, -5), 100), 'a stream'))).rejects.toBeInstanceOf(kindOf);
    });

    it('refuses what is damaged', async () => {
      const damaged = Buffer.from(stream);
      damaged.fill(0xff, kind === 'deflate' ? 0 : 24, 40);
      await expect(all(expand(kind, pieces(damaged, 100), 'a stream'))).rejects.toBeInstanceOf(Corrupt);
    });

    it('hands on what reading throws', async () => {
      const broken = async function* () {
        yield* pieces(stream.subarray(0, 30), 10);
        throw new Error('the disk is gone');
      };
      await expect(all(expand(kind, broken(), 'a stream'))).rejects.toThrow('the disk is gone');
    });

    it('stops reading when the loop is left', async () => {
      let isStopped = false;
      const endless = async function* () {
        try {
          for (;;) yield* pieces(stream, 50);
        } finally {
          isStopped = true;
        }
      };
      for await (const chunk of expand(kind, endless(), 'a stream')) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      await expect.poll(() => isStopped).toBe(true);
    });
  });
});
