/** The table, the staging bucket, and one bucket per configured store that lies in AWS. */
import { STAGING_BUCKET, STAGING_CORS, TABLE } from '../workflows/topology.ts';
import { key } from './kms.ts';
import { localstackProvider } from './localstack.ts';
import { ACCOUNT } from './settings.ts';
import { account, logical, onLocalStack, settings, sizes } from './stage.ts';

const keyNames = [TABLE, ...TABLE.indexes].flatMap(({ partitionKey, sortKey }) => [partitionKey, sortKey]);

export const table = new sst.aws.Dynamo('Table', {
  fields: Object.fromEntries(keyNames.map((name) => [name, 'string' as const])),
  primaryIndex: { hashKey: TABLE.partitionKey, rangeKey: TABLE.sortKey },
  globalIndexes: Object.fromEntries(
    TABLE.indexes.map((index) => [index.name, { hashKey: index.partitionKey, rangeKey: index.sortKey }]),
  ),
  ttl: TABLE.ttlAttribute,
  deletionProtection: sizes.durable,
  transform: {
    table: {
      pointInTimeRecovery: { enabled: true, recoveryPeriodInDays: sizes.durable ? 35 : 1 },
      serverSideEncryption: { enabled: true, kmsKeyArn: key.arn },
    },
  },
});

/** Longer than the longest session of an upload (core/uploads/held.ts). */
const DAYS_OF_A_STALE_UPLOAD = 15;

/**
 * A bucket for image bytes. No lifecycle rule may delete what a record points to: the only one aborts uploads that were never
 * completed, days after the janitor gave them up.
 */
function bytesBucket(
  name: string,
  provider: aws.Provider | undefined,
  physicalName?: $util.Input<string>,
): sst.aws.Bucket {
  const options = provider === undefined ? {} : { provider };
  const bucket = new sst.aws.Bucket(
    name,
    {
      cors: false,
      transform: {
        bucket: (args) => {
          args.forceDestroy = !sizes.durable;
          if (physicalName !== undefined) args.bucket = physicalName;
        },
      },
    },
    options,
  );
  new aws.s3.BucketServerSideEncryptionConfiguration(
    `${name}Encryption`,
    {
      bucket: bucket.name,
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' }, bucketKeyEnabled: false }],
    },
    options,
  );
  new aws.s3.BucketLifecycleConfiguration(
    `${name}Lifecycle`,
    {
      bucket: bucket.name,
      rules: [
        {
          id: 'abort-stale-uploads',
          status: 'Enabled',
          filter: { prefix: '' },
          abortIncompleteMultipartUpload: { daysAfterInitiation: DAYS_OF_A_STALE_UPLOAD },
        },
      ],
    },
    options,
  );
  return bucket;
}

export const staging = bytesBucket('Staging', undefined);
if (STAGING_BUCKET.events) new aws.s3.BucketNotification('StagingEvents', { bucket: staging.name, eventbridge: true });

/** Pages of the console, and no others, send parts of uploads there. */
const { console_origin: consoleOrigin } = settings.config;
if (consoleOrigin !== undefined)
  new aws.s3.BucketCorsConfiguration('StagingCors', {
    bucket: staging.name,
    corsRules: [
      {
        allowedOrigins: [consoleOrigin],
        allowedMethods: [...STAGING_CORS.methods],
        allowedHeaders: [...STAGING_CORS.headers],
        maxAgeSeconds: STAGING_CORS.maxAgeSeconds,
      },
    ],
  });

const providers = new Map<string, aws.Provider>();

/** Undefined for the home region, whose provider is the default one. */
function providerOf(region: string): aws.Provider | undefined {
  if (region === settings.region) return undefined;
  const known = providers.get(region);
  if (known !== undefined) return known;
  const made = onLocalStack
    ? localstackProvider(`Aws-${region}`, region)
    : new aws.Provider(`Aws-${region}`, { region: region as aws.Region });
  providers.set(region, made);
  return made;
}

/** Buckets at other S3-compatible services (`endpoint`) are their owner's to make. */
const awsStores = settings.config.stores.filter((store) => store.endpoint === undefined);
const regionOf = (store: { readonly region?: string | undefined }): string => store.region ?? settings.region;
export const stores = awsStores.map((store) =>
  bytesBucket(
    `Store${logical(store.id.toLowerCase().replaceAll('_', '-'))}`,
    providerOf(regionOf(store)),
    account.apply((number) => store.bucket.replace(ACCOUNT, number)),
  ),
);
/** Some store lies in another region than the stage. */
export const crossesRegions = awsStores.some((store) => regionOf(store) !== settings.region);
