import { parseCors } from '../cors.ts';
import { S3Error } from '../errors.ts';
import { integerParameter, type Reply, readText, type S3Request } from '../request.ts';
import type { BucketRecord } from '../store/model.ts';
import { parseXml, xmlDocument } from '../xml.ts';
import type { Operation, Service } from './operation.ts';

const DEFAULT_REGION = 'us-east-1';

/** Most buckets of a page. */
const MAX_BUCKETS = 10_000;

/** Bucket naming rules that matter for path-style requests. Amazon S3 User Guide, "Bucket naming rules". */
const BUCKET_NAME = /^[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]$/;

const NO_CONTENT: Reply = { status: 204 };
const OK: Reply = { status: 200 };

/** CreateBucket: again by the owner it is 200 in us-east-1 and 409 BucketAlreadyOwnedByYou elsewhere, as S3 does. */
export const createBucket: Operation = async ({ store, strict }, request) => {
  const name = request.bucket;
  if (!BUCKET_NAME.test(name)) throw new S3Error('InvalidBucketName');
  const body = await readText(request.message);
  const given = body === '' ? undefined : parseXml(body, 'CreateBucketConfiguration').text('LocationConstraint');
  strict?.checkNewBucket(request, given || undefined);
  const region = given || DEFAULT_REGION;
  const known = store.buckets.get(name);
  if (known !== undefined && (region !== DEFAULT_REGION || known.record.region !== DEFAULT_REGION)) {
    throw new S3Error('BucketAlreadyOwnedByYou');
  }
  if (known === undefined) {
    await store.commit({ type: 'bucket', bucket: { name, region, createdMs: store.clock(), eventBridge: false } });
  }
  return { status: 200, headers: { location: `/${name}` } };
};

export const headBucket: Operation = ({ store }, { bucket }) => ({
  status: 200,
  headers: { 'x-amz-bucket-region': store.bucket(bucket).record.region },
});

/** DeleteBucket: only when it holds no object; uploads in progress are aborted. */
export const deleteBucket: Operation = async ({ store }, { bucket: name }) => {
  if (store.bucket(name).objects.size > 0) throw new S3Error('BucketNotEmpty');
  const uploads = [...store.uploads.values()].filter(({ record }) => record.bucket === name);
  // All in one turn, so that nothing can begin in a bucket half deleted.
  const aborted = uploads.map(({ record }) => store.commit({ type: 'upload-aborted', id: record.id }));
  await Promise.all([...aborted, store.commit({ type: 'bucket-deleted', name })]);
  return NO_CONTENT;
};

/** ListBuckets: a page in order of names. The token says behind which name the next one begins. */
export const listBuckets: Operation = ({ store }, request) => {
  const { query } = request;
  const prefix = query.get('prefix');
  const region = query.get('bucket-region');
  const after = Buffer.from(query.get('continuation-token') ?? '', 'base64url').toString('utf8');
  const limit = integerParameter(request, 'max-buckets', MAX_BUCKETS, 1, MAX_BUCKETS);
  const buckets = [...store.buckets.values()]
    .map(({ record }) => record)
    .filter((bucket) => bucket.name.startsWith(prefix ?? '') && bucket.name > after)
    .filter((bucket) => region === undefined || bucket.region === region)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const page = buckets.slice(0, limit);
  const last = page.at(-1)?.name ?? '';
  return {
    status: 200,
    body: xmlDocument('ListAllMyBucketsResult', {
      Owner: { ID: 'local', DisplayName: 'local' },
      Buckets: {
        Bucket: page.map((bucket) => ({
          Name: bucket.name,
          CreationDate: new Date(bucket.createdMs).toISOString(),
          BucketRegion: bucket.region,
        })),
      },
      Prefix: prefix,
      ContinuationToken: page.length < buckets.length ? Buffer.from(last).toString('base64url') : undefined,
    }),
  };
};

export const getBucketLocation: Operation = ({ store }, { bucket }) => {
  const { region } = store.bucket(bucket).record;
  return { status: 200, body: xmlDocument('LocationConstraint', region === DEFAULT_REGION ? '' : region) };
};

/** Versioning is never on here; tools ask before they list. */
export const getBucketVersioning: Operation = ({ store }, { bucket }) => {
  store.bucket(bucket);
  return { status: 200, body: xmlDocument('VersioningConfiguration', {}) };
};

/** Keeps a setting of a bucket. Throws NoSuchBucket. */
export async function changeBucket(
  service: Service,
  request: S3Request,
  change: (record: BucketRecord) => BucketRecord,
): Promise<void> {
  const { record } = service.store.bucket(request.bucket);
  await service.store.commit({ type: 'bucket', bucket: change(record) });
}

/** PutBucketNotificationConfiguration: the EventBridge switch; queue, topic and function targets are refused, not ignored. */
export const putBucketNotification: Operation = async (service, request) => {
  service.store.bucket(request.bucket);
  const configuration = parseXml(await readText(request.message), 'NotificationConfiguration');
  for (const target of ['TopicConfiguration', 'QueueConfiguration', 'CloudFunctionConfiguration']) {
    if (configuration.child(target) !== undefined)
      throw new S3Error('NotImplemented', `${target} is not implemented, EventBridge is`);
  }
  const eventBridge = configuration.child('EventBridgeConfiguration') !== undefined;
  await changeBucket(service, request, (record) => ({ ...record, eventBridge }));
  return OK;
};

export const getBucketNotification: Operation = ({ store }, { bucket }) => {
  const { eventBridge } = store.bucket(bucket).record;
  return {
    status: 200,
    body: xmlDocument('NotificationConfiguration', eventBridge ? { EventBridgeConfiguration: '' } : {}),
  };
};

export const putBucketCors: Operation = async (service, request) => {
  service.store.bucket(request.bucket);
  const cors = await readText(request.message);
  parseCors(cors);
  await changeBucket(service, request, (record) => ({ ...record, cors }));
  return OK;
};

export const getBucketCors: Operation = ({ store }, { bucket }) => {
  const { cors } = store.bucket(bucket).record;
  if (cors === undefined) throw new S3Error('NoSuchCORSConfiguration');
  return { status: 200, body: cors };
};

export const deleteBucketCors: Operation = async (service, request) => {
  await changeBucket(service, request, ({ cors: _, ...record }) => record);
  return NO_CONTENT;
};

/** PutBucketLifecycleConfiguration: kept and given back; nothing here expires objects. */
export const putBucketLifecycle: Operation = async (service, request) => {
  service.store.bucket(request.bucket);
  const lifecycle = await readText(request.message);
  if (parseXml(lifecycle, 'LifecycleConfiguration').list('Rule').length === 0) throw new S3Error('MalformedXML');
  await changeBucket(service, request, (record) => ({ ...record, lifecycle }));
  return OK;
};

export const getBucketLifecycle: Operation = ({ store }, { bucket }) => {
  const { lifecycle } = store.bucket(bucket).record;
  if (lifecycle === undefined) throw new S3Error('NoSuchLifecycleConfiguration');
  return { status: 200, body: lifecycle };
};

export const deleteBucketLifecycle: Operation = async (service, request) => {
  await changeBucket(service, request, ({ lifecycle: _, ...record }) => record);
  return NO_CONTENT;
};
