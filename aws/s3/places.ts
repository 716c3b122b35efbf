import { S3Client } from '@aws-sdk/client-s3';
import type { Config } from '../../core/config.ts';
import { NotFound } from '../../core/errors.ts';
import { WideReadsAgent } from './wide-reads.ts';

/** A bucket and the client that reaches it. Places of one `service` can copy to each other without us in between. */
export interface Place {
  /** `staging`, or a store id. */
  readonly id: string;
  readonly bucket: string;
  readonly region: string;
  readonly client: S3Client;
  /** Raw images are stored packed here. */
  readonly sparse: boolean;
  /** The object service behind it: an endpoint URL, or `aws`. */
  readonly service: string;
}

export interface Places {
  readonly staging: Place;
  /** @throws NotFound for a store that is not configured */
  store(id: string): Place;
  /** `staging` or a store id. @throws NotFound as `store` */
  of(place: string): Place;
}

export interface PlacesOptions {
  readonly stagingBucket: string;
  /** Region of the staging bucket; default `us-east-1`. */
  readonly stagingRegion?: string | undefined;
  /** Endpoint for places that name none (AWS_ENDPOINT_URL); absent: AWS itself. */
  readonly endpoint?: string | undefined;
}

/** Sockets per service: four uploads with four parts each, downloads with read-ahead, and some to spare. */
const SOCKETS = 128;

/** Builds the places of a configuration; one client per region and endpoint, shared by the places that lie there. */
export function createPlaces(config: Pick<Config, 'stores'>, options: PlacesOptions): Places {
  const clients = new Map<string, S3Client>();
  const client = (region: string, endpoint: string | undefined): S3Client => {
    const key = `${region} ${endpoint ?? ''}`;
    const known = clients.get(key);
    if (known !== undefined) return known;
    const made = createS3Client(region, endpoint);
    clients.set(key, made);
    return made;
  };
  const place = (id: string, bucket: string, region: string, endpoint: string | undefined, sparse: boolean): Place => ({
    id,
    bucket,
    region,
    client: client(region, endpoint),
    sparse,
    service: endpoint ?? 'aws',
  });
  const staging = place('staging', options.stagingBucket, options.stagingRegion ?? 'us-east-1', options.endpoint, true);
  const stores = new Map(
    config.stores.map((store) => [
      store.id,
      place(store.id, store.bucket, store.region, store.endpoint ?? options.endpoint, store.sparse),
    ]),
  );
  const store = (id: string): Place => {
    const found = stores.get(id);
    if (found === undefined) throw new NotFound(`store ${id} is not configured`);
    return found;
  };
  return { staging, store, of: (id) => (id === 'staging' ? staging : store(id)) };
}

/**
 * A client for image bytes. Bodies are not hashed for the signature: every part carries its CRC32 instead, which the service
 * verifies, at a fifth of the cost of a SHA-256.
 */
function createS3Client(region: string, endpoint: string | undefined): S3Client {
  const client = new S3Client({
    region,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 4,
    requestHandler: {
      connectionTimeout: 5_000,
      // Silence of a socket, not the length of a transfer.
      socketTimeout: 60_000,
      httpAgent: new WideReadsAgent({ keepAlive: true, maxSockets: SOCKETS }),
      httpsAgent: { keepAlive: true, maxSockets: SOCKETS },
    },
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
  });
  client.middlewareStack.add(
    (next, context) => (args) => {
      const request = args.request as { headers: Record<string, string> };
      if (UNSIGNED.has(context.commandName ?? '')) request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
      return next(args);
    },
    { step: 'build', name: 'unsignedPayload' },
  );
  return client;
}

const UNSIGNED = new Set(['PutObjectCommand', 'UploadPartCommand']);
