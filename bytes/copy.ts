import { CopyObjectCommand } from '@aws-sdk/client-s3';
import { translate } from '../aws/s3/failures.ts';
import { Multipart, putObject } from '../aws/s3/multipart.ts';
import { headObject, readWhole } from '../aws/s3/object-source.ts';
import type { Place, Places } from '../aws/s3/places.ts';
import type { StoredBytes } from '../core/tasks/task.ts';
import { inLanes } from './in-lanes.ts';
import { copySource, dataKey, locationUrl, segmentKey } from './object-keys.ts';
import { plainBatches } from './plain-batches.ts';
import { plainWriter } from './plain-writer.ts';
import { putMap } from './sparse-writer.ts';
import { readMap } from './stored-image.ts';

export interface CopyOptions {
  /** Told of bytes of the stored form since the last call, and of how many there are in all. */
  readonly onBytes?: ((bytes: number, total: number) => Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
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
/** Requests in flight of one copy: the service does the work. */
const LANES = 8;
const MAX_PARTS = 10_000;

/**
 * Copies stored bytes to another place under `prefix`, same layout. Between places of one service nothing passes through our memory
 * (CopyObject, UploadPartCopy at the destination); to another service the bytes stream. The object that makes the copy readable is
 * written last. Doing it again changes nothing.
 * @throws NotFound when the source is gone; SourceChanged, Corrupt, BackendUnavailable; what `guard` throws; the signal's reason
 */
export async function copyStored(
  places: Places,
  from: StoredBytes,
  to: Place,
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
  source: Place,
  from: StoredBytes,
  to: Place,
  prefix: string,
  options: CopyOptions,
): Promise<number> {
  const key = from.key ?? dataKey(from.prefix);
  const { etag, size } = await headObject(source, key, options.signal);
  const version = from.etag ?? etag;
  if (source.service !== to.service) await streamPlain(source, key, version, size, to, prefix, options);
  else if (size > ONE_REQUEST) await copyParts(source, key, version, size, to, dataKey(prefix), options);
  else {
    await copyObject(source, key, to, dataKey(prefix), options, version);
    await options.onBytes?.(size, size);
  }
  return size;
}

async function copyParts(
  source: Place,
  key: string,
  etag: string,
  size: number,
  to: Place,
  target: string,
  options: CopyOptions,
): Promise<void> {
  const partBytes = Math.max(ONE_REQUEST, Math.ceil(size / MAX_PARTS));
  const multipart = new Multipart(to, target, options.signal);
  try {
    await inLanes({ count: Math.ceil(size / partBytes), lanes: LANES, signal: options.signal }, async (n) => {
      await options.guard?.();
      const end = Math.min(size, (n + 1) * partBytes);
      await multipart.copy(n, copySource(source, key), n * partBytes, end, etag);
      await options.onBytes?.(end - n * partBytes, size);
    });
    await options.guard?.();
    await multipart.complete();
  } catch (error) {
    await multipart.abort();
    throw error;
  }
}

async function streamPlain(
  source: Place,
  key: string,
  etag: string,
  size: number,
  to: Place,
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
  source: Place,
  fromPrefix: string,
  to: Place,
  prefix: string,
  options: CopyOptions,
): Promise<number> {
  const { map } = await readMap(source, fromPrefix, options.signal);
  const slices = [...map.slicesWithData()];
  const total = map.storedBytes;
  await inLanes({ count: slices.length, lanes: LANES, signal: options.signal }, async (at) => {
    const n = slices[at] ?? 0;
    const entry = map.get(n);
    await options.guard?.();
    if (source.service === to.service) {
      await copyObject(source, segmentKey(fromPrefix, n), to, segmentKey(prefix, n), options);
    } else {
      const { bytes } = await readWhole(source, segmentKey(fromPrefix, n), entry.segmentLength, options.signal);
      await putObject(to, segmentKey(prefix, n), bytes, { crc32: entry.crc32, signal: options.signal });
    }
    await options.onBytes?.(entry.segmentLength, total);
  });
  await options.guard?.();
  return total + (await putMap(to, prefix, map, options.signal));
}

async function copyObject(
  source: Place,
  key: string,
  to: Place,
  target: string,
  options: CopyOptions,
  etag?: string,
): Promise<void> {
  await options.guard?.();
  try {
    await to.client.send(
      new CopyObjectCommand({
        Bucket: to.bucket,
        Key: target,
        CopySource: copySource(source, key),
        // Tags of a dropped object stay behind, as they do where parts are copied.
        TaggingDirective: 'REPLACE',
        ...(etag === undefined ? {} : { CopySourceIfMatch: etag }),
      }),
      options.signal === undefined ? {} : { abortSignal: options.signal },
    );
  } catch (error) {
    throw translate(error, to, target, options.signal);
  }
}
