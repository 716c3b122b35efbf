import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { Corrupt, SourceChanged } from '../../formats/engine/errors.ts';
import { assertWithin, type ByteSource } from '../../formats/engine/source.ts';
import { translate } from './failures.ts';
import type { Place } from './places.ts';
import { RangedGet } from './ranged-get.ts';

export interface ObjectOptions {
  /** The version expected; learnt from the object when absent. */
  readonly etag?: string | undefined;
  /** Bytes, when known; with `etag` this saves a request. */
  readonly size?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * An object as random access: ranged GETs (`bytes=a-b`) of one version, continued when a body breaks off.
 * @throws NotFound, SourceChanged when it is not the version or size expected, BackendUnavailable
 */
export async function objectSource(place: Place, key: string, options: ObjectOptions = {}): Promise<ByteSource> {
  const { etag, size } = await versionOf(place, key, options);
  const readInto = async (offset: number, target: Uint8Array): Promise<void> => {
    assertWithin({ size }, offset, target.length, key);
    await readObject(place, key, offset, target, { etag, signal: options.signal });
  };
  return {
    size,
    etag,
    async read(offset, length) {
      assertWithin({ size }, offset, length, key);
      const target = Buffer.allocUnsafeSlow(length);
      await readInto(offset, target);
      return target;
    },
    readInto,
  };
}

/** Fills `target` from byte `offset` of an object. @throws as RangedGet */
export async function readObject(
  place: Place,
  key: string,
  offset: number,
  target: Uint8Array,
  options: { readonly etag?: string | undefined; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  if (target.length === 0) return;
  let at = 0;
  for await (const batch of new RangedGet(place, key, offset, offset + target.length, options)) {
    for (const chunk of batch) {
      target.set(chunk, at);
      at += chunk.length;
    }
  }
}

async function versionOf(
  place: Place,
  key: string,
  options: ObjectOptions,
): Promise<{ readonly etag: string; readonly size: number }> {
  if (options.etag !== undefined && options.size !== undefined) return { etag: options.etag, size: options.size };
  const found = await headObject(place, key, options.signal);
  if (options.size !== undefined && found.size !== options.size) {
    throw new SourceChanged(`${place.id}: ${key}: ${found.size} bytes where ${options.size} were recorded`);
  }
  return { etag: options.etag ?? found.etag, size: found.size };
}

/** Size in bytes and ETag of an object. @throws NotFound, BackendUnavailable */
export async function headObject(
  place: Place,
  key: string,
  signal?: AbortSignal,
): Promise<{ readonly etag: string; readonly size: number }> {
  try {
    const head = await place.client.send(
      new HeadObjectCommand({ Bucket: place.bucket, Key: key }),
      signal === undefined ? {} : { abortSignal: signal },
    );
    return { etag: head.ETag ?? '', size: head.ContentLength ?? 0 };
  } catch (error) {
    throw translate(error, place, key, signal);
  }
}

/** A whole object of at most `maxBytes`. @throws Corrupt when it is larger; as `readObject` */
export async function readWhole(
  place: Place,
  key: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<{ readonly bytes: Buffer; readonly etag: string }> {
  const { etag, size } = await headObject(place, key, signal);
  if (size > maxBytes) throw new Corrupt(`${place.id}: ${key}: ${size} bytes, ${maxBytes} at most are expected`);
  const bytes = Buffer.allocUnsafeSlow(size);
  await readObject(place, key, 0, bytes, { etag, signal });
  return { bytes, etag };
}
