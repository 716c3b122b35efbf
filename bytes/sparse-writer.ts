import { SLICE_BYTES, storedGeometry } from '../formats/engine/sparse/geometry.ts';
import { type SliceEntry, SparseMap } from '../formats/engine/sparse/map.ts';
import { packSlice } from '../formats/engine/sparse/pack.ts';
import { Cutter } from './cutter.ts';
import { mapKey, segmentKey } from './keys.ts';
import { type ByteWriter, IN_FLIGHT, type WriterOptions, writerTools } from './plain-writer.ts';
import type { Store } from './store.ts';

/** Stores the segment of slice `n`. Writing it again changes nothing. @throws BackendUnavailable, NotFound (bucket) */
export async function putSegment(
  store: Store,
  prefix: string,
  n: number,
  segment: Uint8Array,
  crc32: number,
  signal?: AbortSignal,
): Promise<void> {
  await store.putObject(segmentKey(prefix, n), segment, { crc32, signal });
}

/** Stores the map, which makes the image readable: last of all. Returns the bytes it takes. @throws as `putSegment` */
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
      const { bitmap, segment, crc32 } = packSlice(bytes);
      if (segment.length === 0) return;
      await options.guard?.();
      await putSegment(store, prefix, n, segment, crc32, signal);
      entries.set(n, { bitmap, segmentLength: segment.length, crc32 });
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
