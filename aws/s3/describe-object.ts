import { DeleteObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { translate } from './failures.ts';
import type { Place } from './places.ts';

/** An object as its event or HEAD names it. */
export interface ObjectVersion {
  readonly key: string;
  readonly etag: string;
  readonly size: number;
}

/** Size, ETag and user metadata of an object. @throws NotFound, BackendUnavailable */
export async function describeObject(
  place: Place,
  key: string,
): Promise<ObjectVersion & { readonly metadata: Readonly<Record<string, string>> }> {
  try {
    const head = await place.client.send(new HeadObjectCommand({ Bucket: place.bucket, Key: key }));
    return { key, etag: head.ETag ?? '', size: head.ContentLength ?? 0, metadata: head.Metadata ?? {} };
  } catch (error) {
    throw translate(error, place, key);
  }
}

/** Removes an object; fine when it is gone already. @throws BackendUnavailable */
export async function removeObject(place: Place, key: string): Promise<void> {
  try {
    await place.client.send(new DeleteObjectCommand({ Bucket: place.bucket, Key: key }));
  } catch (error) {
    throw translate(error, place, key);
  }
}
