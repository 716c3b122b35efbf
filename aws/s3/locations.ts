import type { Config } from '../../core/config.ts';
import { NotFound } from '../../core/errors.ts';
import type { LocationPort } from '../../core/images/locations.ts';
import { describeObject } from './describe-object.ts';
import type { Places } from './places.ts';

/** What the service itself wrote: no client may point an image at another image's bytes. */
const OWN_PREFIX = 'images/';

/** Location URLs that clients bring: `s3://{bucket}/{key}` in the bucket of a configured store. */
export function createLocations(places: Places, config: Pick<Config, 'stores'>): LocationPort {
  return {
    async find(url) {
      const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url) ?? [];
      const store = config.stores.find((candidate) => candidate.bucket === bucket);
      if (store === undefined || key === undefined || key.startsWith(OWN_PREFIX)) return undefined;
      try {
        const { size } = await describeObject(places.store(store.id), key);
        return { store: store.id, size };
      } catch (error) {
        if (error instanceof NotFound) return undefined;
        throw error;
      }
    },
  };
}
