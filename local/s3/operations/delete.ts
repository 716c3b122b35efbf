import { createHash } from 'node:crypto';
import { checkDeleteCondition } from '../conditions.ts';
import { S3Error } from '../errors.ts';
import { readText, type S3Request } from '../request.ts';
import { parseXml, type XmlFields, type XmlNode, xmlDocument } from '../xml.ts';
import type { Operation, Service } from './operation.ts';

/** S3's limit on keys in one DeleteObjects. */
const MAX_DELETES = 1000;

/** Deletes one key if it is there; deleting nothing succeeds and has no event. */
async function deleteKey(
  service: Service,
  bucketName: string,
  key: string,
  ifMatch: string | undefined,
  requestId: string,
): Promise<void> {
  const { store } = service;
  const bucket = store.bucket(bucketName);
  const current = bucket.objects.get(key);
  checkDeleteCondition(ifMatch, current);
  if (current === undefined) return;
  const event = store.eventFor(bucket, { name: 'Object Deleted', reason: 'DeleteObject', key, requestId });
  await store.commit({ type: 'object-deleted', bucket: bucketName, key, ...event });
}

export const deleteObject: Operation = async (service, request, requestId) => {
  await deleteKey(service, request.bucket, request.key, request.header('if-match'), requestId);
  return { status: 204 };
};

function deleteError(key: string, error: unknown): XmlFields {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'InternalError';
  return { Key: key, Code: code, Message: error instanceof Error ? error.message : 'Internal Error' };
}

/** The keys of a DeleteObjects body. Throws BadDigest, MalformedXML. */
async function parseDelete(request: S3Request): Promise<XmlNode> {
  const body = await readText(request.message);
  const md5 = request.header('content-md5');
  if (md5 !== undefined && createHash('md5').update(body).digest('base64') !== md5) throw new S3Error('BadDigest');
  const document = parseXml(body, 'Delete');
  const count = document.list('Object').length;
  if (count === 0 || count > MAX_DELETES) throw new S3Error('MalformedXML');
  return document;
}

/** DeleteObjects: up to 1000 keys, each with its own outcome; `Quiet` leaves successes out. */
export const deleteObjects: Operation = async (service, request, requestId) => {
  service.store.bucket(request.bucket);
  const document = await parseDelete(request);
  const deleted: XmlFields[] = [];
  const errors: XmlFields[] = [];
  for (const object of document.list('Object')) {
    const key = object.text('Key') ?? '';
    try {
      service.faults.check('DELETE', request.bucket, key);
      service.access.deletion(request, key);
      await deleteKey(service, request.bucket, key, object.text('ETag'), requestId);
      deleted.push({ Key: key });
    } catch (error) {
      errors.push(deleteError(key, error));
    }
  }
  const quiet = document.text('Quiet') === 'true';
  return { status: 200, body: xmlDocument('DeleteResult', { Deleted: quiet ? [] : deleted, Error: errors }) };
};
