import { MAX_PUT_BYTES } from '../body/receive.ts';
import { parseCopyRange } from '../byte-range.ts';
import { checksumAlgorithm, checksumOf } from '../checksum/algorithms.ts';
import { checkCopyConditions, checkWriteConditions } from '../conditions.ts';
import { encrypted, encryptionIn, encryptionOf } from '../encryption.ts';
import { S3Error } from '../errors.ts';
import { attributesOf, checksumFields, quoted } from '../object-headers.ts';
import type { S3Request } from '../request.ts';
import { joinSegments, sliceSegments } from '../store/blobs.ts';
import type { Checksum, ChecksumAlgorithm, ObjectAttributes, Part, Segment, StoredObject } from '../store/model.ts';
import type { Store } from '../store/store.ts';
import { listedTime, xmlDocument } from '../xml.ts';
import { copySource } from './copy-source.ts';
import { copiedEtag, partNumberOf } from './multipart.ts';
import type { Operation, Service } from './operation.ts';

/** The source object, its conditions and its bucket's faults checked. */
function openSource(service: Service, request: S3Request): { source: StoredObject; isSelf: boolean } {
  const { bucket, key } = copySource(request);
  service.faults.check('GET', bucket, key);
  service.strict?.checkCopySource(service.store.bucket(bucket).record, service.store.bucket(request.bucket).record);
  const source = service.store.object(bucket, key);
  checkCopyConditions(request, source);
  return { source, isSelf: bucket === request.bucket && key === request.key };
}

function copyAttributes(request: S3Request, source: StoredObject): ObjectAttributes {
  const given = attributesOf(request);
  const replace = request.header('x-amz-metadata-directive') === 'REPLACE';
  const replaceTags = request.header('x-amz-tagging-directive') === 'REPLACE';
  const { headers, metadata } = replace ? given : source;
  return { headers, metadata, tags: (replaceTags ? given : source).tags };
}

/** The checksum of copied bytes: the source's if it fits, computed from the bytes otherwise, none if nobody wants one. */
function copiedChecksum(
  store: Store,
  segments: readonly Segment[],
  known: Checksum | undefined,
  wanted: ChecksumAlgorithm | undefined,
): Checksum | undefined | Promise<Checksum> {
  if (wanted === undefined && known === undefined) return undefined;
  if (known?.type === 'FULL_OBJECT' && (wanted ?? known.algorithm) === known.algorithm) return known;
  const algorithm = wanted ?? known?.algorithm;
  return algorithm === undefined ? undefined : checksumOf(store.blobs, segments, algorithm);
}

function copyResult(root: string, copied: { etag: string; modifiedMs: number; checksum?: Checksum }): string {
  // What AWS answers has no ChecksumType, which the API reference has.
  const { ChecksumType: _, ...sums } = checksumFields(copied.checksum);
  return xmlDocument(root, { LastModified: listedTime(copied.modifiedMs), ETag: quoted(copied.etag), ...sums });
}

/** Throws InvalidRequest, in S3's words, above 5 GiB in one request. */
function checkCopySize(service: Service, bytes: number): void {
  const most = service.strict?.maxCopyBytes ?? MAX_PUT_BYTES;
  if (bytes <= most) return;
  throw new S3Error(
    'InvalidRequest',
    `The specified copy source is larger than the maximum allowable size for a copy source: ${most}`,
  );
}

/** CopyObject: shares the source's blobs, so it costs one journal line whatever the size. */
export const copyObject: Operation = async (service, request, requestId) => {
  const { store } = service;
  checkWriteConditions(request, store.bucket(request.bucket).objects.get(request.key));
  const { source, isSelf } = openSource(service, request);
  checkCopySize(service, source.size);
  if (isSelf && request.header('x-amz-metadata-directive') !== 'REPLACE') {
    throw new S3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata.",
    );
  }
  const encryption = encryptionOf(request, store.bucket(request.bucket).record);
  const attributes = encrypted(copyAttributes(request, source), encryption);
  const { segments, size, etag } = source;
  const wanted = checksumAlgorithm(request.header('x-amz-checksum-algorithm'));
  return store.holding(segments, async () => {
    await service.strict?.copying(size);
    const checksum = await copiedChecksum(store, segments, source.checksum, wanted);
    const bucket = store.bucket(request.bucket);
    checkWriteConditions(request, bucket.objects.get(request.key));
    const sum = checksum === undefined ? {} : { checksum };
    const object: StoredObject = { ...attributes, segments, size, etag, modifiedMs: store.clock(), ...sum };
    const event = store.eventFor(bucket, {
      name: 'Object Created',
      reason: 'CopyObject',
      key: request.key,
      size,
      etag,
      requestId,
    });
    await store.commit({ type: 'object', bucket: request.bucket, key: request.key, object, ...event });
    return { status: 200, headers: encryption, body: copyResult('CopyObjectResult', object), copiedBytes: size };
  });
};

/** UploadPartCopy: a part made of the source's blobs. Bytes are read only if the upload wants a checksum they lack. */
export const uploadPartCopy: Operation = async (service, request) => {
  const { store } = service;
  const id = request.query.get('uploadId') ?? '';
  const number = partNumberOf(request);
  const { record } = store.upload(request.bucket, request.key, id);
  const { source } = openSource(service, request);
  const rangeHeader = request.header('x-amz-copy-source-range');
  const range = parseCopyRange(rangeHeader, source.size);
  checkCopySize(service, range.length);
  if (rangeHeader !== undefined) service.strict?.checkCopyRange(source.size);
  const whole = range.length === source.size;
  const segments = joinSegments(sliceSegments(source.segments, range.start, range.length));
  return store.holding(segments, async () => {
    await service.strict?.copying(range.length);
    const known = whole ? source.checksum : undefined;
    const checksum = await copiedChecksum(
      store,
      segments,
      record.algorithm === undefined ? undefined : known,
      record.algorithm,
    );
    store.upload(request.bucket, request.key, id);
    const sum = checksum === undefined ? {} : { checksum };
    const part: Part = {
      size: range.length,
      etag: copiedEtag(source.etag, range),
      modifiedMs: store.clock(),
      segments,
      ...sum,
    };
    await store.commit({ type: 'part', id, number, part });
    const body = copyResult('CopyPartResult', part);
    return { status: 200, headers: encryptionIn(record.headers), body, copiedBytes: range.length };
  });
};
