import { inLanes } from './in-lanes.ts';
import { inParts } from './in-parts.ts';
import { dataKey, locationUrl, segmentKey } from './keys.ts';
import { readWhole } from './object-source.ts';
import type { Places } from './places.ts';
import { plainBatches } from './plain-batches.ts';
import { plainWriter } from './plain-writer.ts';
import { putMap } from './sparse-writer.ts';
import { stands } from './stands.ts';
import type { Store } from './store.ts';
import type { StoredBytes } from './stored-bytes.ts';
import { readMap } from './stored-image.ts';

export interface CopyOptions {
  /** Told of bytes of the stored form since the last call, and of how many there are in all. */
  readonly onBytes?: ((bytes: number, total: number) => Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** An earlier attempt may have got somewhere: segments that stand are left as they are. */
  readonly isRetry?: boolean | undefined;
  /** Called before each write to the destination; throwing stops the copy. */
  readonly guard?: (() => Promise<void>) | undefined;
}

export interface Copied {
  /** Bytes that the copy takes. */
  readonly storedBytes: number;
  readonly url: string;
}

/** Objects up to this are copied by one request: one answer is soon enough for progress, and cheap. */
const ONE_REQUEST = 128 * 1024 * 1024;
const oneRequest = ({ abilities }: Store): number => Math.min(ONE_REQUEST, abilities.maxCopyBytes);
/** Requests in flight of one copy: the service does the work. */
const LANES = 8;

/**
 * Copies stored bytes to another place under `prefix`, same layout. Between places of one service nothing passes through our memory
 * (CopyObject, UploadPartCopy at the destination); to another service the bytes stream. The object that makes the copy readable is
 * written last. Doing it again changes nothing.
 * @throws NotFound when the source is gone; SourceChanged, Corrupt, BackendUnavailable; what `guard` throws; the signal's reason
 */
export async function copyStored(
  places: Places,
  from: StoredBytes,
  to: Store,
  prefix: string,
  options: CopyOptions = {},
): Promise<Copied> {
  const source = places.of(from.place);
  const storedBytes =
    from.layout === 'plain'
      ? await copyPlain(source, from, to, prefix, options)
      : await copySparse(source, from.prefix, to, prefix, options);
  return { storedBytes, url: locationUrl(to, prefix, from.layout) };
}

async function copyPlain(
  source: Store,
  from: StoredBytes,
  to: Store,
  prefix: string,
  options: CopyOptions,
): Promise<number> {
  const key = from.key ?? dataKey(from.prefix);
  const { etag, size } = await source.headObject(key, options.signal);
  const version = from.etag ?? etag;
  if (!to.canCopyFrom(source)) await streamPlain(source, key, version, size, to, prefix, options);
  else if (size > oneRequest(to)) await copyParts(source, key, version, size, to, dataKey(prefix), options);
  else {
    await options.guard?.();
    await to.copyObject({ store: source, key, etag: version }, dataKey(prefix), { signal: options.signal });
    await options.onBytes?.(size, size);
  }
  return size;
}

async function copyParts(
  source: Store,
  key: string,
  etag: string,
  size: number,
  to: Store,
  target: string,
  options: CopyOptions,
): Promise<void> {
  const partBytes = Math.max(oneRequest(to), Math.ceil(size / to.abilities.maxParts));
  const count = Math.ceil(size / partBytes);
  const { signal, guard } = options;
  await inParts(to, target, { count, lanes: LANES, signal, guard }, async (multipart, n) => {
    const end = Math.min(size, (n + 1) * partBytes);
    await multipart.copyPart(n, { store: source, key, etag }, n * partBytes, end);
    await options.onBytes?.(end - n * partBytes, size);
  });
}

async function streamPlain(
  source: Store,
  key: string,
  etag: string,
  size: number,
  to: Store,
  prefix: string,
  options: CopyOptions,
): Promise<void> {
  const { signal, guard, onBytes } = options;
  const writer = plainWriter(to, prefix, { signal, guard, totalBytes: size });
  try {
    for await (const batch of plainBatches(source, key, 0, size, { etag, signal })) {
      const before = writer.total;
      for (const chunk of batch) await writer.write(chunk);
      await onBytes?.(writer.total - before, size);
    }
    await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

async function copySparse(
  source: Store,
  fromPrefix: string,
  to: Store,
  prefix: string,
  options: CopyOptions,
): Promise<number> {
  const { signal } = options;
  const { map } = await readMap(source, fromPrefix, signal);
  const slices = [...map.slicesWithData()];
  const total = map.storedBytes;
  await inLanes({ count: slices.length, lanes: LANES, signal }, async (at) => {
    const n = slices[at] ?? 0;
    const entry = map.get(n);
    await options.guard?.();
    if (options.isRetry === true && (await stands(to, segmentKey(prefix, n), entry.segmentLength, signal))) {
      await options.onBytes?.(entry.segmentLength, total);
      return;
    }
    if (to.canCopyFrom(source)) {
      await to.copyObject({ store: source, key: segmentKey(fromPrefix, n) }, segmentKey(prefix, n), { signal });
    } else {
      const { bytes } = await readWhole(source, segmentKey(fromPrefix, n), entry.segmentLength, signal);
      await to.putObject(segmentKey(prefix, n), bytes, { crc32: entry.crc32, signal });
    }
    await options.onBytes?.(entry.segmentLength, total);
  });
  await options.guard?.();
  return total + (await putMap(to, prefix, map, signal));
}
