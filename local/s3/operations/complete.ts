import { createHash } from 'node:crypto';
import { CHECKSUM_ALGORITHMS, checksumElement, multipartChecksum } from '../checksum/algorithms.ts';
import { checkWriteConditions } from '../conditions.ts';
import { encryptionIn } from '../encryption.ts';
import { S3Error } from '../errors.ts';
import { checksumFields, givenObjectChecksum, quoted } from '../object-headers.ts';
import { type Reply, readText, type S3Request } from '../request.ts';
import { joinSegments } from '../store/blobs.ts';
import type { Checksum, CompletedUpload, Part, StoredObject } from '../store/model.ts';
import type { Upload } from '../store/store.ts';
import { parseXml, type XmlNode, xmlDocument } from '../xml.ts';
import type { Operation } from './operation.ts';

/** Every part but the last has at least this many bytes. Amazon S3 User Guide, "Multipart upload limits". */
const MIN_PART_BYTES = 5 * 1024 * 1024;

/** Largest object, in bytes: 50 TB since December 2025. */
const MAX_OBJECT_BYTES = 50 * 1024 ** 4;

function unquoted(etag: string): string {
  return etag.trim().replace(/^"(.*)"$/, '$1');
}

/** The stored part that an entry of the list names, its ETag and checksum compared. */
function findPart(upload: Upload, entry: XmlNode, number: number): Part {
  const part = upload.parts.get(number);
  const given = unquoted(entry.text('ETag') ?? '');
  const told = { UploadId: upload.record.id, PartNumber: String(number), ETag: given };
  if (part === undefined || given !== part.etag) throw new S3Error('InvalidPart', undefined, {}, told);
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const sum = entry.text(checksumElement(algorithm));
    if (sum !== undefined && (part.checksum?.algorithm !== algorithm || part.checksum.value !== sum)) {
      throw new S3Error('InvalidPart', undefined, {}, told);
    }
  }
  return part;
}

const tooSmall = (number: number, part: Part | undefined): S3Error =>
  new S3Error(
    'EntityTooSmall',
    undefined,
    {},
    {
      ProposedSize: String(part?.size),
      MinSizeAllowed: String(MIN_PART_BYTES),
      PartNumber: String(number),
      ETag: part?.etag ?? '',
    },
  );

/** The parts of the request in order. Throws MalformedXML, InvalidPartOrder, InvalidPart, EntityTooSmall, EntityTooLarge. */
function chosenParts(upload: Upload, body: string): Part[] {
  const entries = parseXml(body, 'CompleteMultipartUpload').list('Part');
  if (entries.length === 0) throw new S3Error('InvalidRequest', 'You must specify at least one part');
  const numbers = entries.map((entry) => Number(entry.text('PartNumber')));
  if (numbers.some((number) => !Number.isInteger(number))) throw new S3Error('MalformedXML');
  if (numbers.some((number, i) => i > 0 && number < (numbers[i - 1] ?? 0)))
    throw new S3Error('InvalidPartOrder', undefined, {}, { UploadId: upload.record.id });
  // Of a number named twice the last counts, so that who sent a part again may name both.
  const last = new Map(entries.map((entry, i) => [numbers[i] ?? 0, entry]));
  const parts = [...last].map(([number, entry]) => findPart(upload, entry, number));
  const small = parts.slice(0, -1).findIndex(({ size }) => size < MIN_PART_BYTES);
  if (small !== -1) throw tooSmall([...last.keys()][small] ?? 0, parts[small]);
  return parts;
}

/** MD5 of the parts' ETags in binary with `-N`, the form S3 gives. */
function multipartEtag(parts: readonly Part[]): string {
  const hash = createHash('md5');
  for (const { etag } of parts) hash.update(Buffer.from(etag.replace(/-.*$/, ''), 'hex'));
  return `${hash.digest('hex')}-${parts.length}`;
}

function objectChecksum({ record }: Upload, parts: readonly Part[], request: S3Request): Checksum | undefined {
  const given = givenObjectChecksum(request);
  if (record.algorithm === undefined || record.checksumType === undefined) return undefined;
  const checksum = multipartChecksum(record.algorithm, record.checksumType, parts);
  if (given !== undefined && checksum !== undefined && given !== checksum.value) {
    throw new S3Error('BadDigest', `The ${record.algorithm} you specified did not match the calculated checksum.`);
  }
  return checksum;
}

function checkSize(request: S3Request, size: number): void {
  if (size > MAX_OBJECT_BYTES) throw new S3Error('EntityTooLarge');
  const expected = request.header('x-amz-mp-object-size');
  if (expected !== undefined && Number(expected) !== size) {
    throw new S3Error(
      'InvalidRequest',
      `The provided x-amz-mp-object-size header value ${expected} does not match what was computed: ${size}`,
    );
  }
}

function completedReply(
  request: S3Request,
  { bucket, key, etag, checksum }: CompletedUpload,
  encryption: Readonly<Record<string, string>>,
): Reply {
  const location = `http://${request.header('host') ?? 'localhost'}/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
  const fields = { Location: location, Bucket: bucket, Key: key, ETag: quoted(etag), ...checksumFields(checksum) };
  return { status: 200, headers: encryption, body: xmlDocument('CompleteMultipartUploadResult', fields) };
}

/**
 * CompleteMultipartUpload: joins segment lists, never bytes. Repeating a completed one gives the same answer, so a client that
 * lost it may try again.
 */
export const completeMultipartUpload: Operation = async ({ store }, request, requestId) => {
  const { bucket: bucketName, key } = request;
  const id = request.query.get('uploadId') ?? '';
  const body = await readText(request.message);
  const done = store.completed.get(id);
  if (done?.bucket === bucketName && done.key === key)
    return completedReply(request, done, encryptionIn(store.buckets.get(bucketName)?.objects.get(key)?.headers ?? {}));
  const bucket = store.bucket(bucketName);
  const upload = store.upload(bucketName, key, id);
  const parts = chosenParts(upload, body);
  checkWriteConditions(request, bucket.objects.get(key));
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  checkSize(request, size);
  const checksum = objectChecksum(upload, parts, request);
  const sum = checksum === undefined ? {} : { checksum };
  const { headers, metadata, tags } = upload.record;
  const etag = multipartEtag(parts);
  const segments = joinSegments(parts.flatMap((part) => part.segments));
  const modifiedMs = store.clock();
  const object: StoredObject = { headers, metadata, tags, size, etag, modifiedMs, segments, ...sum };
  const completed: CompletedUpload = { id, bucket: bucketName, key, etag, completedMs: modifiedMs, ...sum };
  const event = store.eventFor(bucket, {
    name: 'Object Created',
    reason: 'CompleteMultipartUpload',
    key,
    size,
    etag,
    requestId,
  });
  await store.commit({ type: 'object', bucket: bucketName, key, object, completed, ...event });
  return completedReply(request, completed, encryptionIn(headers));
};
