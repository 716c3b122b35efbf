import { inLanes } from './in-lanes.ts';
import { inParts } from './in-parts.ts';
import { dataKey, locationUrl, segmentKey } from './keys.ts';
import { openUpload, type UploadNote } from './noted-upload.ts';
import { readWhole } from './object-source.ts';
import type { Places } from './places.ts';
import { plainBatches } from './plain-batches.ts';
import { plainWriter } from './plain-writer.ts';
import { putMap } from './sparse-writer.ts';
import { stands } from './stands.ts';
import type { ObjectVersion, Store } from './store.ts';
import type { StoredBytes } from './stored-bytes.ts';
import { readMap } from './stored-image.ts';

export interface CopyOptions {
  /** Told of bytes of the stored form since the last call, and of how many there are in all. */
  readonly onBytes?: ((bytes: number, total: number) => Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** An earlier attempt may have got somewhere: objects that stand are left as they are. */
  readonly isRetry?: boolean | undefined;
  /** Key in the staging bucket under which an upload in parts is noted, so that a later attempt goes on with it. */
  readonly noteKey?: string | undefined;
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
      ? await copyPlain(places, from, to, prefix, options)
      : await copySparse(source, from.prefix, to, prefix, options);
  return { storedBytes, url: locationUrl(to, prefix, from.layout) };
}

async function copyPlain(
  places: Places,
  from: StoredBytes,
  to: Store,
  prefix: string,
  options: CopyOptions,
): Promise<number> {
  const source = places.of(from.place);
  const key = from.key ?? dataKey(from.prefix);
  const { etag, size } = await source.headObject(key, options.signal);
  const object = { store: source, key, etag: from.etag ?? etag, size };
  if (options.isRetry === true && (await stands(to, dataKey(prefix), size, options.signal)))
    await options.onBytes?.(size, size);
  else if (!to.canCopyFrom(source)) await streamPlain(places, object, to, prefix, options);
  else if (size > oneRequest(to)) await copyParts(places, object, to, prefix, options);
  else {
    await options.guard?.();
    await to.copyObject(object, dataKey(prefix), { signal: options.signal });
    await options.onBytes?.(size, size);
  }
  return size;
}

/** One version of an object, and its bytes. */
type PlainObject = Required<ObjectVersion> & { readonly etag: string; readonly size: number };

const noteOf = (
  { staging }: Places,
  { store, key, etag, size }: PlainObject,
  { noteKey }: CopyOptions,
  partBytes: number | null,
): UploadNote | undefined =>
  noteKey === undefined
    ? undefined
    : { at: staging, key: noteKey, of: { store: store.id, key, etag, size, partBytes } };

async function copyParts(
  places: Places,
  object: PlainObject,
  to: Store,
  prefix: string,
  options: CopyOptions,
): Promise<void> {
  const { size } = object;
  const partBytes = Math.max(oneRequest(to), Math.ceil(size / to.abilities.maxParts));
  const lengthOf = (n: number): number => Math.min(partBytes, size - n * partBytes);
  const parts = {
    count: Math.ceil(size / partBytes),
    lanes: LANES,
    lengthOf,
    note: noteOf(places, object, options, partBytes),
    signal: options.signal,
    guard: options.guard,
    onBytes: async (bytes: number) => options.onBytes?.(bytes, size),
  };
  await inParts(to, dataKey(prefix), parts, (multipart, n) =>
    multipart.copyPart(n, object, n * partBytes, n * partBytes + lengthOf(n)),
  );
}

/** The writer cuts, as it always does: what stands of an earlier attempt at the front is not read again. */
async function streamPlain(
  places: Places,
  object: PlainObject,
  to: Store,
  prefix: string,
  options: CopyOptions,
): Promise<void> {
  const { signal, guard, onBytes } = options;
  const { store: source, key, etag, size } = object;
  const upload = await openUpload(to, dataKey(prefix), { note: noteOf(places, object, options, null), signal });
  const writer = plainWriter(to, prefix, { signal, guard, totalBytes: size, upload, goesOn: true });
  try {
    await onBytes?.(writer.total, size);
    for await (const batch of plainBatches(source, key, writer.total, size, { etag, signal })) {
      const before = writer.total;
      for (const chunk of batch) await writer.write(chunk);
      await onBytes?.(writer.total - before, size);
    }
    await writer.finish();
  } catch (error) {
    await writer.abort(error);
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
