import type { S3Client } from '@aws-sdk/client-s3';
import { createPlaces, type Places } from '../../bytes/places.ts';
import type { Config } from '../../core/config.ts';
import { createS3Client } from './client.ts';
import { createS3Store, type S3Store } from './store.ts';

export interface S3PlacesOptions {
  readonly stagingBucket: string;
  /** Region of the staging bucket, and of stores of ours that name none; default `us-east-1`. */
  readonly stagingRegion?: string | undefined;
  /** Endpoint for places that name none (AWS_ENDPOINT_URL); absent: AWS itself. */
  readonly endpoint?: string | undefined;
}

/** The places of a configuration; one client per region and endpoint, shared by the places that lie there. */
export function createS3Places(config: Pick<Config, 'stores'>, options: S3PlacesOptions): Places {
  const clients = new Map<string, S3Client>();
  const clientOf = (region: string, endpoint: string | undefined): S3Client => {
    const key = `${region} ${endpoint ?? ''}`;
    const known = clients.get(key);
    if (known !== undefined) return known;
    const made = createS3Client(region, endpoint);
    clients.set(key, made);
    return made;
  };
  const store = (id: string, bucket: string, region: string, endpoint = options.endpoint, sparse = true): S3Store =>
    createS3Store({ id, bucket, sparse, client: clientOf(region, endpoint), service: endpoint ?? 'aws' });
  const home = options.stagingRegion ?? 'us-east-1';
  return createPlaces(
    store('staging', options.stagingBucket, home),
    config.stores.map(({ id, bucket, region, endpoint, sparse }) =>
      // Another service has regions of its own, and most have one of this name.
      store(id, bucket, region ?? (endpoint === undefined ? home : 'us-east-1'), endpoint, sparse),
    ),
  );
}
