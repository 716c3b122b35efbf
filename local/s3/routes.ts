import { S3Error } from './errors.ts';
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
 * choose among operations, sorted. `copy` stands for the x-amz-copy-source header.
 */
const ROUTES: Readonly<Record<string, Operation>> = {
  'GET service': buckets.listBuckets,
  'PUT bucket': buckets.createBucket,
  'HEAD bucket': buckets.headBucket,
  'DELETE bucket': buckets.deleteBucket,
  'GET bucket?location': buckets.getBucketLocation,
  'GET bucket?versioning': buckets.getBucketVersioning,
  'GET bucket?notification': buckets.getBucketNotification,
  'PUT bucket?notification': buckets.putBucketNotification,
  'GET bucket?cors': buckets.getBucketCors,
  'PUT bucket?cors': buckets.putBucketCors,
  'DELETE bucket?cors': buckets.deleteBucketCors,
  'GET bucket?lifecycle': buckets.getBucketLifecycle,
  'PUT bucket?lifecycle': buckets.putBucketLifecycle,
  'DELETE bucket?lifecycle': buckets.deleteBucketLifecycle,
  'GET bucket': listObjects,
  'GET bucket?list-type': listObjectsV2,
  'GET bucket?uploads': listMultipartUploads,
  'POST bucket?delete': deleteObjects,
  'PUT object': objects.putObject,
  'PUT object?copy': copyObject,
  'GET object': objects.getObject,
  'HEAD object': objects.headObject,
  'DELETE object': deleteObject,
  'GET object?tagging': objects.getObjectTagging,
  'PUT object?tagging': objects.putObjectTagging,
  'DELETE object?tagging': objects.deleteObjectTagging,
  'POST object?uploads': createMultipartUpload,
  'PUT object?partNumber&uploadId': uploadPart,
  'PUT object?copy&partNumber&uploadId': uploadPartCopy,
  'GET object?uploadId': listParts,
  'POST object?uploadId': completeMultipartUpload,
  'DELETE object?uploadId': abortMultipartUpload,
};

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
export function routeOf(request: S3Request): Operation {
  const { method, bucket, key, query } = request;
  const scope = bucket === '' ? 'service' : key === '' ? 'bucket' : 'object';
  const selectors = [...query].filter(([name, value]) => !isShaping(name, value)).map(([name]) => name);
  if (method === 'PUT' && scope === 'object' && request.header('x-amz-copy-source') !== undefined)
    selectors.push('copy');
  const suffix = selectors.length === 0 ? '' : `?${selectors.sort().join('&')}`;
  const operation = ROUTES[`${method} ${scope}${suffix}`];
  if (operation !== undefined) return operation;
  if (suffix === '') throw new S3Error('MethodNotAllowed');
  throw new S3Error('NotImplemented', `${method} ${scope}${suffix} is not implemented`);
}
