import { BLOCK_BYTES, SLICE_BYTES, storedGeometry } from '../formats/engine/sparse/geometry.ts';
import { type SliceEntry, SparseMap } from '../formats/engine/sparse/map.ts';
import { packSlice } from '../formats/engine/sparse/pack.ts';
import { Cutter } from './cutter.ts';
import { mapKey, segmentKey } from './keys.ts';
import { type ByteWriter, IN_FLIGHT, type WriterOptions, writerTools } from './plain-writer.ts';
import type { Store } from './store.ts';

export interface PutSliceOptions {
  /** Memory for the segment; may be the slice itself, whose bytes are lost then. */
  readonly into?: Uint8Array | undefined;
  readonly guard?: (() => Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Packs the guest bytes of slice `n` and stores the segment; an all-zero slice has none. Doing it again changes nothing.
 * @throws BackendUnavailable, NotFound (bucket); what `guard` throws
 */
export async function putSlice(
  store: Store,
  prefix: string,
  n: number,
  slice: Uint8Array,
  { into, guard, signal }: PutSliceOptions = {},
): Promise<SliceEntry | undefined> {
  const { bitmap, segment, crc32 } = packSlice(slice, BLOCK_BYTES, into);
  if (segment.length === 0) return undefined;
  await guard?.();
  await store.putObject(segmentKey(prefix, n), segment, { crc32, signal });
  return { bitmap, segmentLength: segment.length, crc32 };
}

/** Stores the map, which makes the image readable: last of all. Returns the bytes it takes. @throws as `putSlice` */
export async function putMap(store: Store, prefix: string, map: SparseMap, signal?: AbortSignal): Promise<number> {
  const bytes = map.encode();
  await store.putObject(mapKey(prefix), bytes, { signal });
  return bytes.length;
}

/** Packs a raw image while it streams: `{prefix}s/{n}` for slices with data, `{prefix}map` at the end. */
export function sparseWriter(store: Store, prefix: string, options: WriterOptions = {}): ByteWriter {
  const { signal, stop, budget } = writerTools(options);
  const entries = new Map<number, SliceEntry>();
  const cutter = new Cutter({
    sizeOf: () => SLICE_BYTES,
    budget,
    inFlight: IN_FLIGHT,
    signal,
    tap: options.tap,
    store: async (n, bytes) => {
      const entry = await putSlice(store, prefix, n, bytes, { guard: options.guard, signal });
      if (entry !== undefined) entries.set(n, entry);
    },
  });
  return {
    layout: 'sparse',
    get total() {
      return cutter.total;
    },
    write: (chunk) => cutter.write(chunk),
    async finish() {
      await cutter.finish();
      const map = SparseMap.empty(storedGeometry(cutter.total));
      for (const [n, entry] of entries) map.set(n, entry);
      await options.guard?.();
      const mapBytes = await putMap(store, prefix, map, signal);
      return { layout: 'sparse', size: cutter.total, storedBytes: map.storedBytes + mapBytes };
    },
    async abort() {
      stop();
      await cutter.abandon();
    },
  };
}
