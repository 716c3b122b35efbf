/**
 * Streaming decompression of whole objects (container_format compressed) for the import's decompress step. Output is
 * limited in bytes and, if asked, in proportion to the input; memory does not grow with the object.
 */
import { expand } from '#codecs/expand.ts';
import { LimitExceeded, Unsupported } from '../errors.ts';
import { hasText } from '../match.ts';
import type { ByteSource } from '../source.ts';
import { isZstd } from '../zstd-frame.ts';
import { bzip2Chunks } from './bzip2/bzip2.ts';
import { readChunks } from './read-chunks.ts';
import { xzChunks } from './xz.ts';
import { zipChunks } from './zip.ts';
import { zstdChunks } from './zstd.ts';

/** Wrappers that are told apart; LHA is named and not unpacked. */
export type CompressionKind = 'gzip' | 'zip' | 'zstd' | 'xz' | 'bzip2' | 'lha';

export interface DecompressLimits {
  /** Bytes that may come out. */
  readonly maxOutputBytes: number;
  /**
   * Output bytes per input byte, counted once 64 MiB have come out. Absent: no such limit; an empty disk shrinks a
   * thousandfold with deflate and more with zstd, so this is for callers who know their images.
   */
  readonly maxRatio?: number;
  /** Ends the work with the signal's reason before the next read. */
  readonly signal?: AbortSignal;
}

/** Expands one object, front to back. Errors as the kind's reader has them, LimitExceeded on either limit. */
export type Decompressor = (source: ByteSource, limits: DecompressLimits) => AsyncGenerator<Uint8Array>;

/** Small objects may expand as they like. */
const RATIO_FROM_BYTES = 64 * 1024 * 1024;

const MAGICS: readonly (readonly [kind: CompressionKind, offset: number, magic: string])[] = [
  ['gzip', 0, '\x1f\x8b\x08'],
  ['zip', 0, 'PK\x03\x04'],
  ['xz', 0, '\xfd7zXZ\0'],
  ['bzip2', 0, 'BZh'],
  ['lha', 2, '-lh'],
  ['lha', 2, '-lz'],
];

type Expand = (source: ByteSource) => AsyncIterable<Uint8Array>;

const EXPAND: Partial<Record<CompressionKind, Expand>> = {
  gzip: (source) => expand('gzip', readChunks(source, 0, source.size), 'gzip'),
  zip: zipChunks,
  zstd: zstdChunks,
  xz: xzChunks,
  bzip2: bzip2Chunks,
};

/** The wrapper whose first bytes (at least 8) these are, or undefined. */
export function compressionOf(head: Uint8Array): CompressionKind | undefined {
  if (isZstd(head)) return 'zstd';
  return MAGICS.find(([, offset, magic]) => hasText(head, offset, magic))?.[0];
}

/** @throws Unsupported for kinds that are named only */
export function openDecompressor(kind: CompressionKind): Decompressor {
  const expander = EXPAND[kind];
  if (expander === undefined)
    throw new Unsupported(`${kind} data cannot be unpacked: use gzip, zstd, xz, bzip2 or zip`);
  return (source, limits) => limited(expander, source, limits);
}

async function* limited(expander: Expand, source: ByteSource, limits: DecompressLimits): AsyncGenerator<Uint8Array> {
  const { maxOutputBytes, maxRatio = Number.POSITIVE_INFINITY, signal } = limits;
  let taken = 0;
  let given = 0;
  const counted: ByteSource = {
    size: source.size,
    async read(offset, length) {
      signal?.throwIfAborted();
      taken += length;
      return source.read(offset, length);
    },
  };
  for await (const chunk of expander(counted)) {
    signal?.throwIfAborted();
    given += chunk.length;
    if (given > maxOutputBytes) {
      throw new LimitExceeded(`decompression: more than ${maxOutputBytes} bytes come out`);
    }
    if (given > RATIO_FROM_BYTES && given > taken * maxRatio) {
      throw new LimitExceeded(`decompression: ${given} bytes come out of ${taken}, above ${maxRatio} to 1`);
    }
    yield chunk;
  }
}
