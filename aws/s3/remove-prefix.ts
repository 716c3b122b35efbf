import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3';
import { inLanes } from '../../bytes/in-lanes.ts';
import { BackendUnavailable, NotFound } from '../../core/errors.ts';
import type { Bucket } from './bucket.ts';
import { translate } from './failures.ts';
import { removeObject } from './single-object.ts';

/** Requests at once where objects go one by one. */
const LANES = 8;

/** Removes every object, and aborts every multipart upload, under a prefix. Idempotent. @throws BackendUnavailable */
export async function removePrefix(at: Bucket, prefix: string): Promise<void> {
  // Uploads first: one that completes in between leaves an object, which the second step removes.
  await abortUploads(at, prefix);
  await removeObjects(at, prefix);
}

async function removeObjects(at: Bucket, prefix: string): Promise<void> {
  const bucket = { Bucket: at.bucket };
  let token: string | undefined;
  do {
    const page = await attempt(at, prefix, () =>
      at.client.send(
        new ListObjectsV2Command({
          ...bucket,
          Prefix: prefix,
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
      ),
    );
    const keys = (page?.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key]));
    if (keys.length > 0) await removeKeys(at, prefix, keys);
    token = page?.NextContinuationToken;
  } while (token !== undefined);
}

/** One request; the SDK sends no MD5 with it, so that a service that wants one is asked object by object. */
async function removeKeys(at: Bucket, prefix: string, keys: readonly string[]): Promise<void> {
  if (at.abilities.needsContentMd5) {
    await inLanes({ count: keys.length, lanes: LANES }, async (n) => removeObject(at, keys[n] ?? ''));
    return;
  }
  const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet: true };
  const removed = await attempt(at, prefix, () =>
    at.client.send(new DeleteObjectsCommand({ Bucket: at.bucket, Delete })),
  );
  const failed = removed?.Errors?.[0];
  if (failed !== undefined) throw new BackendUnavailable(`${at.id}: ${failed.Key}: ${failed.Code}`);
}

async function abortUploads(at: Bucket, prefix: string): Promise<void> {
  const bucket = { Bucket: at.bucket };
  let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
  while (marker !== undefined) {
    const from: { KeyMarker?: string; UploadIdMarker?: string } = marker;
    const page = await attempt(at, prefix, () =>
      at.client.send(new ListMultipartUploadsCommand({ ...bucket, Prefix: prefix, ...from })),
    );
    for (const { Key, UploadId } of page?.Uploads ?? []) {
      if (Key === undefined || !Key.startsWith(prefix)) continue;
      await attempt(at, Key, () => at.client.send(new AbortMultipartUploadCommand({ ...bucket, Key, UploadId })));
    }
    marker =
      page?.IsTruncated === true && page.NextKeyMarker !== undefined
        ? {
            KeyMarker: page.NextKeyMarker,
            ...(page.NextUploadIdMarker === undefined ? {} : { UploadIdMarker: page.NextUploadIdMarker }),
          }
        : undefined;
  }
}

/** The answer, or undefined when what was to be removed is not there (any more). @throws BackendUnavailable */
async function attempt<A>(at: Bucket, key: string, call: () => Promise<A>): Promise<A | undefined> {
  try {
    return await call();
  } catch (error) {
    const failure = translate(error, at, key);
    if (failure instanceof NotFound) return undefined;
    throw failure;
  }
}
