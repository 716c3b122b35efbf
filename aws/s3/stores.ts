import type { S3Client } from '@aws-sdk/client-s3';
import { createPlaces, type Places } from '../../bytes/places.ts';
import type { Config, StoreConfig } from '../../core/config.ts';
import { secretsManager } from '../secrets.ts';
import { createS3Client } from './client.ts';
import { type CredentialSources, type StoreCredentials, storeCredentials } from './credentials.ts';
import { createS3Store, type S3Store } from './store.ts';

export interface S3PlacesOptions extends Partial<CredentialSources> {
  readonly stagingBucket: string;
  /** Region of the staging bucket, and of stores of ours that name none; default `us-east-1`. */
  readonly stagingRegion?: string | undefined;
  /** Endpoint for places that name none (AWS_ENDPOINT_URL); absent: AWS itself. */
  readonly endpoint?: string | undefined;
}

interface Address {
  readonly region: string;
  readonly endpoint: string | undefined;
  /** Absent: those of the process. */
  readonly credentials?: StoreCredentials | undefined;
}

/**
 * The places of a configuration; one client per region, endpoint and credentials, shared by the places that lie there.
 * @throws ConfigError when credentials that are named are not there
 */
export function createS3Places(config: Pick<Config, 'stores'>, options: S3PlacesOptions): Places {
  const home = options.stagingRegion ?? 'us-east-1';
  const { env = {}, readSecret = secretsManager(home) } = options;
  const clientAt = clients();
  const store = (id: string, bucket: string, sparse: boolean, address: Address): S3Store =>
    createS3Store({
      id,
      bucket,
      sparse,
      client: clientAt(address),
      region: address.region,
      service: address.endpoint ?? 'aws',
      ...(address.credentials && { credentials: address.credentials.name }),
    });
  const addressOf = (from: StoreConfig): Address =>
    from.endpoint === undefined
      ? { region: from.region ?? home, endpoint: options.endpoint }
      : {
          // Another service has regions of its own, and most have one of this name.
          region: from.region ?? 'us-east-1',
          endpoint: from.endpoint,
          credentials: storeCredentials(from, { env, readSecret }),
        };
  return createPlaces(
    store('staging', options.stagingBucket, true, { region: home, endpoint: options.endpoint }),
    config.stores.map((from) => store(from.id, from.bucket, from.sparse, addressOf(from))),
  );
}

function clients(): (address: Address) => S3Client {
  const made = new Map<string, S3Client>();
  return (address) => {
    const { region, endpoint, credentials } = address;
    const key = [region, endpoint, credentials?.name].join(' ');
    const client = made.get(key) ?? createS3Client(region, endpoint, credentials?.provider);
    made.set(key, client);
    return client;
  };
}
