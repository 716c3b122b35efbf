import type { Extent } from '../formats/engine/image.ts';
import { assertWithin, type ByteSource } from '../formats/engine/source.ts';
import { SparseMap } from '../formats/engine/sparse/map.ts';
import { dataKey, mapKey } from './keys.ts';
import { exactReads, fillFrom, objectSource, readWhole } from './object-source.ts';
import type { Places } from './places.ts';
import { plainBatches } from './plain-batches.ts';
import { sparseBatches, sparseExtents } from './sparse-batches.ts';
import type { Store } from './store.ts';
import type { StoredBytes } from './stored-bytes.ts';

/**
 * The one way to read a stored image, whatever its layout: download, copy, hash and conversion alike. Safe to use from several
 * callers at once; memory does not grow with the image.
 */
export interface ImageReader extends ByteSource {
  /** Extents covering [start, end) in order; holes of a sparse image are `zero` and not `allocated`. */
  extents(start: number, end: number): AsyncIterable<Extent>;
  /**
   * The bytes [start, end) in order, requests running ahead of the consumer. Chunks are views, not to be written to; zeros are
   * views of one shared block.
   * @throws NotFound, SourceChanged, Truncated, BackendUnavailable; Corrupt when a whole segment has not its CRC32
   */
  stream(start: number, end: number): AsyncIterable<Uint8Array>;
  /** As `stream`, but all chunks that are here at once: for who moves gigabytes. @throws as `stream` */
  batches(start: number, end: number): AsyncIterable<readonly Uint8Array[]>;
}

export interface OpenOptions {
  readonly signal?: AbortSignal | undefined;
}

/** 16 TiB at 40 bytes per slice of 16 MiB, and some. */
const MAX_MAP_BYTES = 48 * 1024 * 1024;

/** Opens stored bytes for reading. @throws NotFound when they are not there; SourceChanged, Corrupt, BackendUnavailable */
export async function openStored(places: Places, bytes: StoredBytes, options: OpenOptions = {}): Promise<ImageReader> {
  const store = places.of(bytes.place);
  return bytes.layout === 'plain' ? openPlain(store, bytes, options) : openSparse(store, bytes.prefix, options);
}

async function openPlain(store: Store, bytes: StoredBytes, { signal }: OpenOptions): Promise<ImageReader> {
  const key = bytes.key ?? dataKey(bytes.prefix);
  const source = await objectSource(store, key, { etag: bytes.etag, size: bytes.size, signal });
  const { etag, size } = source;
  const batches = (start: number, end: number): AsyncIterable<readonly Uint8Array[]> => {
    assertWithin({ size }, start, end - start, key);
    return plainBatches(store, key, start, end, { etag, signal });
  };
  return {
    ...source,
    async *extents(start, end) {
      assertWithin(source, start, end - start);
      if (end > start) yield { start, length: end - start, allocated: true, zero: false, compressed: false };
    },
    stream: (start, end) => flatten(batches(start, end)),
    batches,
  };
}

async function openSparse(store: Store, prefix: string, { signal }: OpenOptions): Promise<ImageReader> {
  const { map, etag } = await readMap(store, prefix, signal);
  const size = map.virtualSize;
  const batches = (start: number, end: number): AsyncIterable<readonly Uint8Array[]> => {
    assertWithin({ size }, start, end - start, prefix);
    return sparseBatches(store, prefix, map, start, end, signal);
  };
  const fill = (offset: number, target: Uint8Array) => fillFrom(batches(offset, offset + target.length), target);
  return {
    size,
    etag,
    ...exactReads(size, prefix, fill),
    extents: (start, end) => sparseExtents(map, start, end),
    stream: (start, end) => flatten(batches(start, end)),
    batches,
  };
}

/** The map of a sparse image, verified. @throws NotFound, Corrupt, BackendUnavailable */
export async function readMap(
  store: Store,
  prefix: string,
  signal?: AbortSignal,
): Promise<{ readonly map: SparseMap; readonly etag: string }> {
  const { bytes, etag } = await readWhole(store, mapKey(prefix), MAX_MAP_BYTES, signal);
  return { map: SparseMap.decode(bytes), etag };
}

async function* flatten(batches: AsyncIterable<readonly Uint8Array[]>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const batch of batches) yield* batch;
}
