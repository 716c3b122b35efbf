import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3';
import type { BytesPort } from '../../bytes/bytes-port.ts';
import { BackendUnavailable, NotFound } from '../../core/errors.ts';
import { translate } from './failures.ts';
import { headObject } from './object-source.ts';
import type { Place, Places } from './places.ts';

/** Clean-up and look-up of stored bytes, for the rules of `core/`. */
export function createBytes(places: Places): BytesPort {
  return {
    async removePrefix(placeId, prefix) {
      const place = places.of(placeId);
      // Uploads first: one that completes in between leaves an object, which the second step removes.
      await abortUploads(place, prefix);
      await removeObjects(place, prefix);
    },
    async exists(placeId, key) {
      try {
        await headObject(places.of(placeId), key);
        return true;
      } catch (error) {
        if (error instanceof NotFound) return false;
        throw error;
      }
    },
  };
}

async function removeObjects(place: Place, prefix: string): Promise<void> {
  const bucket = { Bucket: place.bucket };
  let token: string | undefined;
  do {
    const page = await attempt(place, prefix, () =>
      place.client.send(
        new ListObjectsV2Command({
          ...bucket,
          Prefix: prefix,
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
      ),
    );
    const keys = (page?.Contents ?? []).flatMap((object) => (object.Key === undefined ? [] : [{ Key: object.Key }]));
    if (keys.length > 0) {
      const removed = await attempt(place, prefix, () =>
        place.client.send(new DeleteObjectsCommand({ ...bucket, Delete: { Objects: keys, Quiet: true } })),
      );
      const failed = removed?.Errors?.[0];
      if (failed !== undefined) throw new BackendUnavailable(`${place.id}: ${failed.Key}: ${failed.Code}`);
    }
    token = page?.NextContinuationToken;
  } while (token !== undefined);
}

async function abortUploads(place: Place, prefix: string): Promise<void> {
  const bucket = { Bucket: place.bucket };
  let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
  while (marker !== undefined) {
    const from: { KeyMarker?: string; UploadIdMarker?: string } = marker;
    const page = await attempt(place, prefix, () =>
      place.client.send(new ListMultipartUploadsCommand({ ...bucket, Prefix: prefix, ...from })),
    );
    for (const { Key, UploadId } of page?.Uploads ?? []) {
      if (Key === undefined || !Key.startsWith(prefix)) continue;
      await attempt(place, Key, () => place.client.send(new AbortMultipartUploadCommand({ ...bucket, Key, UploadId })));
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
async function attempt<A>(place: Place, key: string, call: () => Promise<A>): Promise<A | undefined> {
  try {
    return await call();
  } catch (error) {
    const failure = translate(error, place, key);
    if (failure instanceof NotFound) return undefined;
    throw failure;
  }
}
