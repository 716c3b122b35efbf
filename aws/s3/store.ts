/**
 * The store port on S3 and what speaks its protocol: one file per kind of call. Bodies stream; what is done with bytes, and which keys
 * they have, is the affair of bytes/.
 */
import type { S3Client } from '@aws-sdk/client-s3';
import type { Abilities, Store } from '../../bytes/store.ts';
import { AWS_ABILITIES, type Bucket } from './bucket.ts';
import { copyObject } from './copy-object.ts';
import { signGet, signPart } from './direct.ts';
import { completeListed, resumeMultipart, S3Multipart, storedParts } from './multipart.ts';
import { putObject } from './put-object.ts';
import { RangedGet } from './ranged-get.ts';
import { removePrefix } from './remove-prefix.ts';
import { getObject, headObject, removeObject } from './single-object.ts';

export interface S3StoreOptions {
  readonly id: string;
  readonly bucket: string;
  readonly client: S3Client;
  readonly sparse: boolean;
  /** The object service behind it: an endpoint URL, or `aws`. */
  readonly service: string;
  /** Where the bucket lies, as the service calls it. */
  readonly region?: string | undefined;
  /** Names whose credentials the client uses; default: those of the process. */
  readonly credentials?: string;
  /** Default: those of Amazon S3. */
  readonly abilities?: Abilities;
  /** Where they are not known yet: asked at each call, so that it should remember. `abilities` are what counts until then. */
  readonly findAbilities?: () => Promise<Abilities>;
  /** What is known of them without asking. */
  readonly knownAbilities?: Store['knownAbilities'];
}

export interface S3Store extends Store {
  readonly client: S3Client;
  readonly region: string | undefined;
  readonly service: string;
  readonly credentials: string;
}

export function createS3Store(options: S3StoreOptions): S3Store {
  const { id, bucket, client, sparse, service, region, credentials = 'process', abilities = AWS_ABILITIES } = options;
  let known = abilities;
  const { findAbilities = async () => abilities, knownAbilities } = options;
  const at: Bucket = {
    id,
    bucket,
    client,
    abilities: async () => {
      known = await findAbilities();
      return known;
    },
  };
  return {
    id,
    kind: 's3',
    bucket,
    sparse,
    get abilities() {
      return known;
    },
    ...(knownAbilities === undefined ? {} : { knownAbilities }),
    client,
    region,
    service,
    credentials,
    canCopyFrom: (other) => isS3(other) && other.service === service && other.credentials === credentials,
    headObject: (key, signal) => headObject(at, key, signal),
    readRange: (key, start, end, read) => new RangedGet(at, key, start, end, read),
    getObject: (key, signal) => getObject(at, key, signal),
    putObject: (key, body, put) => putObject(at, key, body, put),
    multipart: (key, signal, metadata) => new S3Multipart(at, key, signal, { metadata }),
    resumeMultipart: (key, uploadId, signal) => resumeMultipart(at, key, uploadId, signal),
    copyObject: (from, key, copy) => copyObject(at, from, key, copy),
    removeObject: (key) => removeObject(at, key),
    removePrefix: (prefix) => removePrefix(at, prefix),
    direct: {
      signPart: (...part) => signPart(at, ...part),
      signGet: (...object) => signGet(at, ...object),
      listParts: (...upload) => storedParts(at, ...upload),
      joinParts: (...upload) => completeListed(at, ...upload),
    },
  };
}

const isS3 = (store: Store): store is S3Store => store.kind === 's3';
