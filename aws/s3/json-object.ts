import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { translate } from './failures.ts';
import type { Place } from './places.ts';

/** Small JSON documents in a bucket: plans and fragments of an import. @throws BackendUnavailable */
export async function putJson(place: Place, key: string, value: unknown): Promise<void> {
  try {
    await place.client.send(
      new PutObjectCommand({
        Bucket: place.bucket,
        Key: key,
        Body: JSON.stringify(value),
        ContentType: 'application/json',
      }),
    );
  } catch (error) {
    throw translate(error, place, key);
  }
}

/** @throws NotFound, BackendUnavailable */
export async function getJson<T>(place: Place, key: string): Promise<T> {
  try {
    const { Body } = await place.client.send(new GetObjectCommand({ Bucket: place.bucket, Key: key }));
    return JSON.parse((await Body?.transformToString()) ?? 'null') as T;
  } catch (error) {
    throw translate(error, place, key);
  }
}
