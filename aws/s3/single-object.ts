import { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import type { ObjectFacts } from '../../bytes/store.ts';
import { abortable, type Bucket } from './bucket.ts';
import { translate } from './failures.ts';

/** Size, ETag and user metadata of an object. @throws NotFound, BackendUnavailable */
export async function headObject(at: Bucket, key: string, signal?: AbortSignal): Promise<ObjectFacts> {
  try {
    const head = await at.client.send(new HeadObjectCommand({ Bucket: at.bucket, Key: key }), abortable(signal));
    return { etag: head.ETag ?? '', size: head.ContentLength ?? 0, metadata: head.Metadata ?? {} };
  } catch (error) {
    throw translate(error, at, key, signal);
  }
}

/** A whole object, in memory. @throws NotFound, BackendUnavailable */
export async function getObject(at: Bucket, key: string, signal?: AbortSignal): Promise<Uint8Array> {
  try {
    const { Body } = await at.client.send(new GetObjectCommand({ Bucket: at.bucket, Key: key }), abortable(signal));
    return (await Body?.transformToByteArray()) ?? new Uint8Array(0);
  } catch (error) {
    throw translate(error, at, key, signal);
  }
}

/** Removes an object; fine when it is gone already. @throws BackendUnavailable */
export async function removeObject(at: Bucket, key: string): Promise<void> {
  try {
    await at.client.send(new DeleteObjectCommand({ Bucket: at.bucket, Key: key }));
  } catch (error) {
    throw translate(error, at, key);
  }
}
