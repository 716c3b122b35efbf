import { S3Error } from './errors.ts';
import * as security from './operations/bucket-security.ts';
import * as buckets from './operations/buckets.ts';
import { completeMultipartUpload } from './operations/complete.ts';
import { copyObject, uploadPartCopy } from './operations/copy.ts';
import { deleteObject, deleteObjects } from './operations/delete.ts';
import { listObjects, listObjectsV2 } from './operations/list.ts';
import { listMultipartUploads, listParts } from './operations/list-uploads.ts';
import { abortMultipartUpload, createMultipartUpload, uploadPart } from './operations/multipart.ts';
import * as objects from './operations/objects.ts';
import type { Operation } from './operations/operation.ts';
import type { S3Request } from './request.ts';

/**
 * Every operation by `METHOD scope?selectors`: scope is service, bucket or object; selectors are the query parameters that
 * choose among operations, sorted. `copy` stands for the x-amz-copy-source header. Names are those of the API reference.
 */
const ROUTES: Readonly<Record<string, readonly [name: string, run: Operation]>> = {
  'GET service': ['ListBuckets', buckets.listBuckets],
  'PUT bucket': ['CreateBucket', buckets.createBucket],
  'HEAD bucket': ['HeadBucket', buckets.headBucket],
  'DELETE bucket': ['DeleteBucket', buckets.deleteBucket],
  'GET bucket?location': ['GetBucketLocation', buckets.getBucketLocation],
  'GET bucket?versioning': ['GetBucketVersioning', buckets.getBucketVersioning],
  'GET bucket?notification': ['GetBucketNotificationConfiguration', buckets.getBucketNotification],
  'PUT bucket?notification': ['PutBucketNotificationConfiguration', buckets.putBucketNotification],
  'GET bucket?cors': ['GetBucketCors', buckets.getBucketCors],
  'PUT bucket?cors': ['PutBucketCors', buckets.putBucketCors],
  'DELETE bucket?cors': ['DeleteBucketCors', buckets.deleteBucketCors],
  'GET bucket?lifecycle': ['GetBucketLifecycleConfiguration', buckets.getBucketLifecycle],
  'PUT bucket?lifecycle': ['PutBucketLifecycleConfiguration', buckets.putBucketLifecycle],
  'DELETE bucket?lifecycle': ['DeleteBucketLifecycle', buckets.deleteBucketLifecycle],
  'GET bucket?encryption': ['GetBucketEncryption', security.getBucketEncryption],
  'PUT bucket?encryption': ['PutBucketEncryption', security.putBucketEncryption],
  'DELETE bucket?encryption': ['DeleteBucketEncryption', security.deleteBucketEncryption],
  'GET bucket?policy': ['GetBucketPolicy', security.getBucketPolicy],
  'PUT bucket?policy': ['PutBucketPolicy', security.putBucketPolicy],
  'DELETE bucket?policy': ['DeleteBucketPolicy', security.deleteBucketPolicy],
  'GET bucket': ['ListObjects', listObjects],
  'GET bucket?list-type': ['ListObjectsV2', listObjectsV2],
  'GET bucket?uploads': ['ListMultipartUploads', listMultipartUploads],
  'POST bucket?delete': ['DeleteObjects', deleteObjects],
  'PUT object': ['PutObject', objects.putObject],
  'PUT object?copy': ['CopyObject', copyObject],
  'GET object': ['GetObject', objects.getObject],
  'HEAD object': ['HeadObject', objects.headObject],
  'DELETE object': ['DeleteObject', deleteObject],
  'GET object?tagging': ['GetObjectTagging', objects.getObjectTagging],
  'PUT object?tagging': ['PutObjectTagging', objects.putObjectTagging],
  'DELETE object?tagging': ['DeleteObjectTagging', objects.deleteObjectTagging],
  'POST object?uploads': ['CreateMultipartUpload', createMultipartUpload],
  'PUT object?partNumber&uploadId': ['UploadPart', uploadPart],
  'PUT object?copy&partNumber&uploadId': ['UploadPartCopy', uploadPartCopy],
  'GET object?uploadId': ['ListParts', listParts],
  'POST object?uploadId': ['CompleteMultipartUpload', completeMultipartUpload],
  'DELETE object?uploadId': ['AbortMultipartUpload', abortMultipartUpload],
};

/** Name of every operation, as the API reference has it. */
export const OPERATIONS: readonly string[] = Object.values(ROUTES).map(([name]) => name);

/** Parameters that shape an operation without choosing it. Any other parameter is a selector, known or not. */
const SHAPING = new Set([
  'x-id',
  'prefix',
  'delimiter',
  'max-keys',
  'marker',
  'start-after',
  'continuation-token',
  'fetch-owner',
  'encoding-type',
  'max-parts',
  'part-number-marker',
  'max-uploads',
  'key-marker',
  'upload-id-marker',
  'max-buckets',
  'bucket-region',
]);

function isShaping(name: string, value: string): boolean {
  return SHAPING.has(name) || /^(?:x-amz-|response-)/i.test(name) || (name === 'versionId' && value === 'null');
}

/**
 * The operation that a request names. Throws NotImplemented for any selector that is not in the table, so that no unknown
 * subresource is ever taken for a plain read or write of the object; MethodNotAllowed for a method without any operation.
 */
export function routeOf(request: S3Request): { readonly name: string; readonly run: Operation } {
  const { method, bucket, key, query } = request;
  const scope = bucket === '' ? 'service' : key === '' ? 'bucket' : 'object';
  const selectors = [...query].filter(([name, value]) => !isShaping(name, value)).map(([name]) => name);
  if (method === 'PUT' && scope === 'object' && request.header('x-amz-copy-source') !== undefined)
    selectors.push('copy');
  const suffix = selectors.length === 0 ? '' : `?${selectors.sort().join('&')}`;
  const [name, run] = ROUTES[`${method} ${scope}${suffix}`] ?? [];
  if (name !== undefined && run !== undefined) return { name, run };
  if (suffix === '') throw new S3Error('MethodNotAllowed');
  throw new S3Error('NotImplemented', `${method} ${scope}${suffix} is not implemented`);
}
