import type { Context } from './conditions.ts';
import type { Access } from './evaluate.ts';

/** What of an S3 request decides over what it needs. */
export interface S3Call {
  /** As the API reference names it, such as `PutObject`. */
  readonly operation: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  header(name: string): string | undefined;
  /** Of a copy: where from, and whether that object has tags. */
  readonly source?: { readonly bucket: string; readonly key: string; readonly isTagged: boolean } | undefined;
}

const bucketArn = (bucket: string): string => `arn:aws:s3:::${bucket}`;
const objectArn = (bucket: string, key: string): string => `arn:aws:s3:::${bucket}/${key}`;

/** Actions on a bucket that are not called like the operation. */
const BUCKET_ACTIONS: Readonly<Record<string, string>> = {
  CreateBucket: 'CreateBucket',
  DeleteBucket: 'DeleteBucket',
  HeadBucket: 'ListBucket',
  ListObjects: 'ListBucket',
  ListObjectsV2: 'ListBucket',
  ListMultipartUploads: 'ListBucketMultipartUploads',
  GetBucketLocation: 'GetBucketLocation',
  GetBucketVersioning: 'GetBucketVersioning',
  GetBucketNotificationConfiguration: 'GetBucketNotification',
  PutBucketNotificationConfiguration: 'PutBucketNotification',
  GetBucketCors: 'GetBucketCORS',
  PutBucketCors: 'PutBucketCORS',
  DeleteBucketCors: 'PutBucketCORS',
  GetBucketLifecycleConfiguration: 'GetLifecycleConfiguration',
  PutBucketLifecycleConfiguration: 'PutLifecycleConfiguration',
  DeleteBucketLifecycle: 'PutLifecycleConfiguration',
  GetBucketEncryption: 'GetEncryptionConfiguration',
  PutBucketEncryption: 'PutEncryptionConfiguration',
  DeleteBucketEncryption: 'PutEncryptionConfiguration',
  GetBucketPolicy: 'GetBucketPolicy',
  PutBucketPolicy: 'PutBucketPolicy',
  DeleteBucketPolicy: 'DeleteBucketPolicy',
};

const OBJECT_ACTIONS: Readonly<Record<string, string>> = {
  GetObject: 'GetObject',
  HeadObject: 'GetObject',
  PutObject: 'PutObject',
  CopyObject: 'PutObject',
  CreateMultipartUpload: 'PutObject',
  UploadPart: 'PutObject',
  UploadPartCopy: 'PutObject',
  CompleteMultipartUpload: 'PutObject',
  AbortMultipartUpload: 'AbortMultipartUpload',
  ListParts: 'ListMultipartUploadParts',
  DeleteObject: 'DeleteObject',
  GetObjectTagging: 'GetObjectTagging',
  PutObjectTagging: 'PutObjectTagging',
  DeleteObjectTagging: 'DeleteObjectTagging',
};

/** Headers and parameters that policies may speak of, by condition key. */
const CONTEXT_HEADERS: Readonly<Record<string, string>> = {
  's3:x-amz-server-side-encryption': 'x-amz-server-side-encryption',
  's3:x-amz-server-side-encryption-aws-kms-key-id': 'x-amz-server-side-encryption-aws-kms-key-id',
  's3:x-amz-acl': 'x-amz-acl',
  's3:x-amz-copy-source': 'x-amz-copy-source',
};
const CONTEXT_PARAMETERS: Readonly<Record<string, string>> = {
  's3:prefix': 'prefix',
  's3:delimiter': 'delimiter',
  's3:max-keys': 'max-keys',
};

/**
 * What an S3 request needs. DeleteObjects needs nothing as a whole: each key needs `s3:DeleteObject` (`deletion`). Throws TypeError for
 * an operation that is in no table. Source: Amazon S3 User Guide, "Required permissions for Amazon S3 API operations".
 */
export function s3Access(call: S3Call): Access[] {
  const { operation, bucket, key } = call;
  const context = contextOf(call);
  if (operation === 'ListBuckets') return [{ action: 's3:ListAllMyBuckets', resource: '*', context }];
  if (operation === 'DeleteObjects') return [];
  const onBucket = BUCKET_ACTIONS[operation];
  if (onBucket !== undefined) return [{ action: `s3:${onBucket}`, resource: bucketArn(bucket), context }];
  const onObject = OBJECT_ACTIONS[operation];
  if (onObject === undefined) throw new TypeError(`no permission is known for ${operation}`);
  const resource = objectArn(bucket, key);
  return [
    ...sourceAccess(call),
    { action: `s3:${onObject}`, resource, context },
    ...(writesTags(call) ? [{ action: 's3:PutObjectTagging', resource, context }] : []),
  ];
}

/** What the deletion of one of many keys needs. */
export const deletion = (bucket: string, key: string): Access => ({
  action: 's3:DeleteObject',
  resource: objectArn(bucket, key),
});

/** What listing a bucket needs: who may not is told 403 instead of 404 of a key that is not there. */
export const listing = (bucket: string): Access => ({ action: 's3:ListBucket', resource: bucketArn(bucket) });

const copiesTags = (call: S3Call): boolean =>
  call.operation === 'CopyObject' &&
  call.source?.isTagged === true &&
  call.header('x-amz-tagging-directive')?.toUpperCase() !== 'REPLACE';

function sourceAccess(call: S3Call): Access[] {
  const { source } = call;
  if (source === undefined) return [];
  const resource = objectArn(source.bucket, source.key);
  const read = { action: 's3:GetObject', resource };
  return copiesTags(call) ? [read, { action: 's3:GetObjectTagging', resource }] : [read];
}

/** Tags given with a new object, or copied from another, need a permission of their own. */
function writesTags(call: S3Call): boolean {
  if (copiesTags(call)) return true;
  const isNew = ['PutObject', 'CreateMultipartUpload', 'CopyObject'].includes(call.operation);
  const replaces =
    call.operation !== 'CopyObject' || call.header('x-amz-tagging-directive')?.toUpperCase() === 'REPLACE';
  return isNew && replaces && (call.header('x-amz-tagging') ?? '') !== '';
}

function contextOf(call: S3Call): Context {
  const headers = Object.entries(CONTEXT_HEADERS).map(([name, header]) => [name, call.header(header)] as const);
  const parameters = Object.entries(CONTEXT_PARAMETERS).map(([name, one]) => [name, call.query.get(one)] as const);
  const present = [...headers, ...parameters].filter(([, value]) => value !== undefined);
  return Object.fromEntries(present.map(([name, value]) => [name, [String(value)]]));
}
