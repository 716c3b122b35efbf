import { NotFound } from '../core/errors.ts';
import type { LocationPort } from '../core/images/locations.ts';
import type { Places } from './places.ts';
import { isReservedKey } from './reserved-keys.ts';

/**
 * Location URLs that clients bring: `s3://{bucket}/{key}` in the bucket of a configured store. What lies under a
 * prefix of the service's own is none: no client may point an image at another image's bytes.
 */
export function createLocations(places: Pick<Places, 'stores'>): LocationPort {
  return {
    async find(url) {
      const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url) ?? [];
      const store = places.stores.find((candidate) => candidate.bucket === bucket);
      if (store === undefined || key === undefined || isReservedKey(key)) return undefined;
      try {
        const { size } = await store.headObject(key);
        return { store: store.id, size };
      } catch (error) {
        if (error instanceof NotFound) return undefined;
        throw error;
      }
    },
  };
}
