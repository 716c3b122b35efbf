import { S3Error } from './errors.ts';
import type { S3Request } from './request.ts';
import type { StoredObject } from './store/model.ts';

function etagMatches(header: string, etag: string): boolean {
  return header
    .split(',')
    .map((candidate) =>
      candidate
        .trim()
        .replace(/^W\//, '')
        .replace(/^"(.*)"$/, '$1'),
    )
    .some((candidate) => candidate === '*' || candidate === etag);
}

/** HTTP dates have whole seconds. */
function modifiedAfter(object: Pick<StoredObject, 'modifiedMs'>, header: string): boolean | undefined {
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.floor(object.modifiedMs / 1000) * 1000 > date;
}

/**
 * Evaluates the four conditions of RFC 9110 section 13.2.2 found under `prefix` (empty, or `x-amz-copy-source-`).
 * An ETag condition outranks the date condition of its kind.
 */
function evaluate(request: S3Request, prefix: string, object: StoredObject): 'pass' | 'failed' | 'not-modified' {
  const header = (name: string): string | undefined => request.header(prefix + name);
  const ifMatch = header('if-match');
  const unmodifiedSince = header('if-unmodified-since');
  if (ifMatch !== undefined) {
    if (!etagMatches(ifMatch, object.etag)) return 'failed';
  } else if (unmodifiedSince !== undefined && modifiedAfter(object, unmodifiedSince) === true) return 'failed';
  const ifNoneMatch = header('if-none-match');
  const modifiedSince = header('if-modified-since');
  if (ifNoneMatch !== undefined) return etagMatches(ifNoneMatch, object.etag) ? 'not-modified' : 'pass';
  return modifiedSince !== undefined && modifiedAfter(object, modifiedSince) === false ? 'not-modified' : 'pass';
}

/** GET and HEAD. Throws PreconditionFailed (412), or NotModified (304) with `headers`. */
export function checkReadConditions(
  request: S3Request,
  object: StoredObject,
  headers: Readonly<Record<string, string>>,
): void {
  const outcome = evaluate(request, '', object);
  if (outcome === 'failed') throw new S3Error('PreconditionFailed');
  if (outcome === 'not-modified') throw new S3Error('NotModified', undefined, headers);
}

/** The source of CopyObject and UploadPartCopy: every condition that does not hold is a 412. */
export function checkCopyConditions(request: S3Request, source: StoredObject): void {
  if (evaluate(request, 'x-amz-copy-source-', source) !== 'pass') throw new S3Error('PreconditionFailed');
}

/**
 * PutObject, CopyObject and CompleteMultipartUpload: `If-None-Match: *` and `If-Match: etag`. To be called once before the
 * body, to fail early, and again in the turn that commits. Throws PreconditionFailed, NoSuchKey, NotImplemented.
 */
export function checkWriteConditions(request: S3Request, current: StoredObject | undefined): void {
  const ifNoneMatch = request.header('if-none-match');
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*')
    throw new S3Error('NotImplemented', 'If-None-Match takes only * here');
  if (ifNoneMatch !== undefined && current !== undefined) throw new S3Error('PreconditionFailed');
  const ifMatch = request.header('if-match');
  if (ifMatch === undefined) return;
  if (current === undefined) throw new S3Error('NoSuchKey');
  if (!etagMatches(ifMatch, current.etag)) throw new S3Error('PreconditionFailed');
}

/** DeleteObject: `If-Match`; deleting what is not there passes. Throws PreconditionFailed. */
export function checkDeleteCondition(ifMatch: string | undefined, current: StoredObject | undefined): void {
  if (ifMatch !== undefined && current !== undefined && !etagMatches(ifMatch, current.etag))
    throw new S3Error('PreconditionFailed');
}

/** `If-Range`: true when the range may be served (no condition, or the object is still the same). RFC 9110 section 13.1.5. */
export function rangeStillValid(request: S3Request, object: StoredObject): boolean {
  const header = request.header('if-range');
  if (header === undefined) return true;
  return header.startsWith('"') ? etagMatches(header, object.etag) : modifiedAfter(object, header) === false;
}
