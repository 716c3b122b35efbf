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

/** A condition that does not hold, as an error names it. */
type Condition = 'If-Match' | 'If-Unmodified-Since' | 'If-None-Match' | 'If-Modified-Since';

const preconditionFailed = (condition: string): S3Error =>
  new S3Error('PreconditionFailed', undefined, {}, { Condition: condition });

/**
 * The first of the four conditions of RFC 9110 section 13.2.2 found under `prefix` (empty, or `x-amz-copy-source-`) that does not
 * hold. An ETag condition outranks the date condition of its kind; for a copy a date that is still to come is no condition.
 */
function broken(request: S3Request, prefix: string, object: StoredObject): Condition | undefined {
  const header = (name: string): string | undefined => request.header(prefix + name);
  const ifMatch = header('if-match');
  const unmodifiedSince = header('if-unmodified-since');
  if (ifMatch !== undefined) {
    if (!etagMatches(ifMatch, object.etag)) return 'If-Match';
  } else if (unmodifiedSince !== undefined && modifiedAfter(object, unmodifiedSince) === true)
    return 'If-Unmodified-Since';
  const ifNoneMatch = header('if-none-match');
  const modifiedSince = header('if-modified-since');
  if (ifNoneMatch !== undefined) return etagMatches(ifNoneMatch, object.etag) ? 'If-None-Match' : undefined;
  if (modifiedSince === undefined || (prefix !== '' && Date.parse(modifiedSince) > Date.now())) return undefined;
  return modifiedAfter(object, modifiedSince) === false ? 'If-Modified-Since' : undefined;
}

/** GET and HEAD. Throws PreconditionFailed (412), or NotModified (304) with `headers`. */
export function checkReadConditions(
  request: S3Request,
  object: StoredObject,
  headers: Readonly<Record<string, string>>,
): void {
  const condition = broken(request, '', object);
  if (condition === 'If-Match' || condition === 'If-Unmodified-Since') throw preconditionFailed(condition);
  if (condition !== undefined) throw new S3Error('NotModified', undefined, headers);
}

/** The source of CopyObject and UploadPartCopy: every condition that does not hold is a 412. */
export function checkCopyConditions(request: S3Request, source: StoredObject): void {
  const condition = broken(request, 'x-amz-copy-source-', source);
  if (condition !== undefined) throw preconditionFailed(`x-amz-copy-source-${condition}`);
}

/**
 * PutObject, CopyObject and CompleteMultipartUpload: `If-None-Match: *` and `If-Match: etag`. To be called once before the
 * body, to fail early, and again in the turn that commits. Throws PreconditionFailed, NoSuchKey, NotImplemented.
 */
export function checkWriteConditions(request: S3Request, current: StoredObject | undefined): void {
  const ifNoneMatch = request.header('if-none-match');
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*')
    throw new S3Error('NotImplemented', 'If-None-Match takes only * here');
  if (ifNoneMatch !== undefined && current !== undefined) throw preconditionFailed('If-None-Match');
  const ifMatch = request.header('if-match');
  if (ifMatch === undefined) return;
  if (current === undefined) throw new S3Error('NoSuchKey', undefined, {}, { Key: request.key });
  if (!etagMatches(ifMatch, current.etag)) throw preconditionFailed('If-Match');
}

/** DeleteObject: `If-Match`; deleting what is not there passes. Throws PreconditionFailed. */
export function checkDeleteCondition(ifMatch: string | undefined, current: StoredObject | undefined): void {
  if (ifMatch !== undefined && current !== undefined && !etagMatches(ifMatch, current.etag))
    throw preconditionFailed('If-Match');
}

/** `If-Range`: true when the range may be served (no condition, or the object is still the same). RFC 9110 section 13.1.5. */
export function rangeStillValid(request: S3Request, object: StoredObject): boolean {
  const header = request.header('if-range');
  if (header === undefined) return true;
  return header.startsWith('"') ? etagMatches(header, object.etag) : modifiedAfter(object, header) === false;
}
