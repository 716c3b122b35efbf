import { receiveBody } from '../body/receive.ts';
import { parseRange } from '../byte-range.ts';
import { checkReadConditions, checkWriteConditions, rangeStillValid } from '../conditions.ts';
import { encrypted, encryptionOf } from '../encryption.ts';
import { S3Error } from '../errors.ts';
import { attributesOf, checksumHeaders, headersOf, quoted } from '../object-headers.ts';
import type { Reply, S3Request } from '../request.ts';
import { readText } from '../request.ts';
import type { StoredObject } from '../store/model.ts';
import { parseTagBody, type Tags, tagDocument } from '../tags.ts';
import type { Operation, Service } from './operation.ts';

/** Response headers that a GET or HEAD may override: `response-content-type` and so on. */
const OVERRIDES = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];

/**
 * PutObject. The ETag is the MD5 when the client sent Content-MD5 or the body is at most 1 MiB; otherwise it is `{random}-1`:
 * hashing every byte would halve the throughput, and clients already know that ETags with a dash are not MD5s. Conditions
 * are checked before the body, to fail early, and again in the turn that commits.
 */
export const putObject: Operation = async (service, request, requestId) => {
  const { store } = service;
  const { bucket: bucketName, key } = request;
  const target = store.bucket(bucketName);
  checkWriteConditions(request, target.objects.get(key));
  const encryption = encryptionOf(request, target.record);
  const attributes = encrypted(attributesOf(request), encryption);
  const body = await receiveBody(store, request, service.verifySignatures);
  const { discard, ...stored } = body;
  try {
    const bucket = store.bucket(bucketName);
    checkWriteConditions(request, bucket.objects.get(key));
    const object: StoredObject = { ...attributes, ...stored, modifiedMs: store.clock() };
    const { size, etag } = object;
    const event = store.eventFor(bucket, { name: 'Object Created', reason: 'PutObject', key, size, etag, requestId });
    await store.commit({ type: 'object', bucket: bucketName, key, object, ...event });
  } catch (error) {
    if (store.buckets.get(bucketName)?.objects.get(key)?.segments !== stored.segments) await discard();
    throw error;
  }
  return { status: 200, headers: { etag: quoted(stored.etag), ...encryption, ...checksumHeaders(stored.checksum) } };
};

/** A decoded query value as header bytes: UTF-8, as S3 sends it. Throws InvalidArgument for control characters. */
function headerBytes(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these must not get into a header
  if (/[\u0000-\u001f\u007f]/.test(value)) throw new S3Error('InvalidArgument', 'Header value cannot be represented');
  return Buffer.from(value).toString('latin1');
}

function readReply(service: Service, request: S3Request): Reply {
  const object = service.store.object(request.bucket, request.key);
  const headers = headersOf(object);
  checkReadConditions(request, object, headers);
  for (const name of OVERRIDES) {
    const value = request.query.get(`response-${name}`);
    if (value !== undefined) headers[name] = headerBytes(value);
  }
  const range = rangeStillValid(request, object) ? parseRange(request.header('range'), object.size) : undefined;
  const { start, length } = range ?? { start: 0, length: object.size };
  headers['content-length'] = String(length);
  if (range !== undefined) headers['content-range'] = `bytes ${start}-${start + length - 1}/${object.size}`;
  // A checksum of the whole says nothing about a part of it.
  if (length === object.size && request.header('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED')
    Object.assign(headers, checksumHeaders(object.checksum));
  return { status: range === undefined ? 200 : 206, headers, slice: { segments: object.segments, start, length } };
}

export const getObject: Operation = readReply;

export const headObject: Operation = (service, request) => {
  const { status, headers } = readReply(service, request);
  return { status, headers: headers ?? {} };
};

async function putTags(service: Service, request: S3Request, tags: Tags): Promise<void> {
  const { bucket, key } = request;
  await service.store.commit({ type: 'object', bucket, key, object: { ...service.store.object(bucket, key), tags } });
}

export const getObjectTagging: Operation = ({ store }, { bucket, key }) => ({
  status: 200,
  body: tagDocument(store.object(bucket, key).tags),
});

export const putObjectTagging: Operation = async (service, request) => {
  service.store.object(request.bucket, request.key);
  await putTags(service, request, parseTagBody(await readText(request.message)));
  return { status: 200 };
};

export const deleteObjectTagging: Operation = async (service, request) => {
  await putTags(service, request, []);
  return { status: 204 };
};
