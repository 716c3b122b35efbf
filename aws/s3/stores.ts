import type { S3Client } from '@aws-sdk/client-s3';
import { createPlaces, type Places } from '../../bytes/places.ts';
import type { Config, StoreConfig } from '../../core/config.ts';
import { secretsManager } from '../secrets.ts';
import { abilitiesOf, knownAbilitiesOf } from './abilities.ts';
import { createS3Client } from './client.ts';
import { type CredentialSources, type StoreCredentials, storeCredentials } from './credentials.ts';
import { CAUTIOUS } from './probe.ts';
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
  /** At a service that is not AWS; there, those of the process count. */
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
  const addressOf = (store: StoreConfig): Address =>
    store.endpoint === undefined
      ? { region: store.region ?? home, endpoint: options.endpoint }
      : {
          // Another service has regions of its own, and most have one of this name.
          region: store.region ?? 'us-east-1',
          endpoint: store.endpoint,
          credentials: storeCredentials(store, { env, readSecret }),
        };
  const place = (
    { id, bucket, sparse, abilities }: Pick<StoreConfig, 'id' | 'bucket' | 'sparse' | 'abilities'>,
    address: Address,
  ): S3Store => {
    const { region, endpoint, credentials } = address;
    const at = { id, bucket, sparse, region, client: clientAt(address), service: endpoint ?? 'aws' };
    if (credentials === undefined) return createS3Store(at);
    return createS3Store({
      ...{ ...at, credentials: credentials.name, abilities: CAUTIOUS },
      findAbilities: abilitiesOf(at, abilities),
      knownAbilities: knownAbilitiesOf(at, abilities),
    });
  };
  return createPlaces(
    place({ id: 'staging', bucket: options.stagingBucket, sparse: true }, { region: home, endpoint: options.endpoint }),
    config.stores.map((store) => place(store, addressOf(store))),
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
