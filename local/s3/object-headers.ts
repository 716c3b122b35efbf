import { CHECKSUM_ALGORITHMS, checksumElement, checksumHeader } from './checksum/algorithms.ts';
import { S3Error } from './errors.ts';
import type { S3Request } from './request.ts';
import type { Checksum, ObjectAttributes, StoredObject } from './store/model.ts';
import { parseTagHeader } from './tags.ts';

/** Standard headers that are stored with an object and given back. */
const STORED_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
] as const;

/** S3's limit on names plus values of user metadata, in bytes. */
const MAX_METADATA_BYTES = 2048;

const METADATA_PREFIX = 'x-amz-meta-';

const DEFAULT_CONTENT_TYPE = 'binary/octet-stream';

/** Encryption with the client's key and locks change what a read means: refused rather than ignored. */
const REFUSED_HEADERS = [
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-object-lock-mode',
  'x-amz-write-offset-bytes',
];

function storedHeaders(request: S3Request): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of STORED_HEADERS) {
    const value = request.header(name);
    if (value !== undefined) headers[name] = value;
  }
  // aws-chunked describes the transfer, not the object.
  const encodings = (headers['content-encoding'] ?? '').split(',').map((encoding) => encoding.trim());
  const kept = encodings.filter((encoding) => encoding !== 'aws-chunked' && encoding !== '').join(',');
  delete headers['content-encoding'];
  return {
    ...headers,
    ...(kept === '' ? {} : { 'content-encoding': kept }),
    'content-type': headers['content-type'] || DEFAULT_CONTENT_TYPE,
  };
}

function userMetadata(request: S3Request): Record<string, string> {
  const metadata: Record<string, string> = {};
  let bytes = 0;
  for (const name of Object.keys(request.message.headers)) {
    if (!name.startsWith(METADATA_PREFIX)) continue;
    const value = request.header(name) ?? '';
    const key = name.slice(METADATA_PREFIX.length);
    bytes += key.length + value.length;
    metadata[key] = value;
  }
  if (bytes > MAX_METADATA_BYTES) throw new S3Error('MetadataTooLarge');
  return metadata;
}

/** What a writing request says about the object besides its bytes. Throws MetadataTooLarge, InvalidTag, NotImplemented. */
export function attributesOf(request: S3Request): ObjectAttributes {
  for (const name of REFUSED_HEADERS) {
    if (request.header(name) !== undefined) throw new S3Error('NotImplemented', `${name} is not implemented`);
  }
  return {
    headers: storedHeaders(request),
    metadata: userMetadata(request),
    tags: parseTagHeader(request.header('x-amz-tagging')),
  };
}

/** `"etag"`. */
export function quoted(etag: string): string {
  return `"${etag}"`;
}

/** Headers of GET and HEAD that do not depend on the range. */
export function headersOf(object: StoredObject): Record<string, string> {
  const headers: Record<string, string> = {
    ...object.headers,
    etag: quoted(object.etag),
    'last-modified': new Date(object.modifiedMs).toUTCString(),
    'accept-ranges': 'bytes',
  };
  for (const [name, value] of Object.entries(object.metadata)) headers[METADATA_PREFIX + name] = value;
  if (object.tags.length > 0) headers['x-amz-tagging-count'] = String(object.tags.length);
  return headers;
}

/** A checksum as response headers; none for undefined. */
export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  return checksum === undefined
    ? {}
    : { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type };
}

/** A checksum as XML fields; none for undefined. */
export function checksumFields(checksum: Checksum | undefined): Record<string, string> {
  return checksum === undefined
    ? {}
    : { [checksumElement(checksum.algorithm)]: checksum.value, ChecksumType: checksum.type };
}

/** The checksum a Complete request gives for the whole object, base64, if any. */
export function givenObjectChecksum(request: S3Request): string | undefined {
  return CHECKSUM_ALGORITHMS.map((algorithm) => request.header(checksumHeader(algorithm))).find(
    (value) => value !== undefined,
  );
}
