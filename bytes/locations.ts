import { NotFound } from '../core/errors.ts';
import type { LocationPort } from '../core/images/locations.ts';
import { OWN_PREFIX } from './keys.ts';
import type { Places } from './places.ts';

/**
 * Location URLs that clients bring: `s3://{bucket}/{key}` in the bucket of a configured store. What the service itself wrote is none:
 * no client may point an image at another image's bytes.
 */
export function createLocations(places: Pick<Places, 'stores'>): LocationPort {
  return {
    async find(url) {
      const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url) ?? [];
      const store = places.stores.find((candidate) => candidate.bucket === bucket);
      if (store === undefined || key === undefined || isOurs(key)) return undefined;
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

/**
 * True when any reading of a key leads under our own prefix: what decodes, joins or folds keys between us and the bytes (a proxy, a
 * service that is not AWS's) must not turn somebody's location into another image's bytes.
 */
function isOurs(key: string): boolean {
  for (let reading = key, turns = 0; ; turns++) {
    if (`${plainPath(reading)}/`.startsWith(OWN_PREFIX)) return true;
    const decoded = reading.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (decoded === reading) return false;
    // Nobody means a key that is encoded this often.
    if (turns === MAX_DECODINGS) return true;
    reading = decoded;
  }
}

const MAX_DECODINGS = 4;

/** Lower case, without empty and dot segments. */
function plainPath(key: string): string {
  const kept: string[] = [];
  for (const segment of key.toLowerCase().split(/[/\\]/)) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  return kept.join('/');
}
