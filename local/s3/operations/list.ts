import { invalidArgument } from '../errors.ts';
import { quoted } from '../object-headers.ts';
import { integerParameter, type S3Request } from '../request.ts';
import { compareKeys, type KeyIndex } from '../store/key-index.ts';
import type { StoredObject } from '../store/model.ts';
import { listedTime, type XmlFields, xmlDocument } from '../xml.ts';
import type { Operation } from './operation.ts';

const MAX_KEYS = 1000;

/** Where a page starts: after a key, or after a whole common prefix. */
interface Position {
  readonly after: string;
  readonly isPrefix: boolean;
}

interface Page {
  readonly objects: readonly (readonly [key: string, object: StoredObject])[];
  readonly prefixes: readonly string[];
  /** Where the next page starts, or undefined at the end. */
  readonly next: Position | undefined;
}

/** The common prefix `key` falls under: through the first delimiter after the listed prefix. */
export function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.slice(0, at + delimiter.length);
}

/** One page in key order. A common prefix is one step however many keys it stands for. */
function listPage(
  index: KeyIndex<StoredObject>,
  prefix: string,
  delimiter: string,
  start: Position,
  maxKeys: number,
): Page {
  const objects: (readonly [string, StoredObject])[] = [];
  const prefixes: string[] = [];
  let position = start;
  const isBefore = (key: string): boolean => {
    if (compareKeys(key, prefix) < 0) return true;
    if (position.isPrefix && key.startsWith(position.after)) return true;
    return position.after !== '' && compareKeys(key, position.after) <= 0;
  };
  while (true) {
    const found = index.seek(isBefore);
    if (found === undefined || !found[0].startsWith(prefix)) return { objects, prefixes, next: undefined };
    if (objects.length + prefixes.length >= maxKeys)
      return { objects, prefixes, next: maxKeys === 0 ? undefined : position };
    const group = commonPrefix(found[0], prefix, delimiter);
    if (group === undefined) objects.push(found);
    else prefixes.push(group);
    position = group === undefined ? { after: found[0], isPrefix: false } : { after: group, isPrefix: true };
  }
}

function encodeToken(position: Position): string {
  return Buffer.from(JSON.stringify([position.after, position.isPrefix])).toString('base64url');
}

function decodeToken(token: string): Position {
  try {
    const [after, isPrefix] = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as unknown[];
    if (typeof after === 'string' && typeof isPrefix === 'boolean') return { after, isPrefix };
  } catch {
    // Falls through to the same answer as a token of the wrong shape.
  }
  throw invalidArgument('continuation-token', undefined, 'The continuation token provided is incorrect');
}

/** Encodes keys for the answer when the client asked for `encoding-type=url`. */
export function encoderOf(request: S3Request): (text: string) => string {
  const encoding = request.query.get('encoding-type');
  if (encoding !== undefined && encoding !== 'url')
    throw invalidArgument('encoding-type', encoding, 'Invalid Encoding Method specified in Request');
  return encoding === 'url' ? (text) => encodeURIComponent(text).replaceAll('%2F', '/') : (text) => text;
}

function contents(page: Page, encode: (text: string) => string, withOwner: boolean): XmlFields[] {
  return page.objects.map(([key, { size, etag, modifiedMs, checksum }]) => ({
    Key: encode(key),
    LastModified: listedTime(modifiedMs),
    ETag: quoted(etag),
    ChecksumAlgorithm: checksum?.algorithm,
    ChecksumType: checksum?.type,
    Size: size,
    StorageClass: 'STANDARD',
    Owner: withOwner ? { ID: 'local', DisplayName: 'local' } : undefined,
  }));
}

export const listObjectsV2: Operation = ({ store }, request) => {
  const { query, bucket: name } = request;
  const encode = encoderOf(request);
  const { objects } = store.bucket(name);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const maxKeys = integerParameter(request, 'max-keys', MAX_KEYS, 0, MAX_KEYS);
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after');
  const start = token === undefined ? { after: startAfter ?? '', isPrefix: false } : decodeToken(token);
  const page = listPage(objects, prefix, delimiter, start, maxKeys);
  return {
    status: 200,
    body: xmlDocument('ListBucketResult', {
      Name: name,
      Prefix: encode(prefix),
      Delimiter: delimiter === '' ? undefined : encode(delimiter),
      StartAfter: startAfter === undefined || token !== undefined ? undefined : encode(startAfter),
      ContinuationToken: token,
      NextContinuationToken: page.next === undefined ? undefined : encodeToken(page.next),
      KeyCount: page.objects.length + page.prefixes.length,
      MaxKeys: maxKeys,
      IsTruncated: page.next !== undefined,
      EncodingType: query.get('encoding-type'),
      Contents: contents(page, encode, query.get('fetch-owner') === 'true'),
      CommonPrefixes: page.prefixes.map((found) => ({ Prefix: encode(found) })),
    }),
  };
};

/** ListObjects (version 1). A marker under a common prefix stands after everything under that, as NextMarker promises. */
export const listObjects: Operation = ({ store }, request) => {
  const { query, bucket: name } = request;
  const encode = encoderOf(request);
  const { objects } = store.bucket(name);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const maxKeys = integerParameter(request, 'max-keys', MAX_KEYS, 0, MAX_KEYS);
  const marker = query.get('marker') ?? '';
  const under = commonPrefix(marker, prefix, delimiter);
  const start = { after: under ?? marker, isPrefix: under !== undefined };
  const page = listPage(objects, prefix, delimiter, start, maxKeys);
  return {
    status: 200,
    body: xmlDocument('ListBucketResult', {
      Name: name,
      Prefix: encode(prefix),
      Marker: encode(marker),
      NextMarker: page.next === undefined || delimiter === '' ? undefined : encode(page.next.after),
      Delimiter: delimiter === '' ? undefined : encode(delimiter),
      MaxKeys: maxKeys,
      IsTruncated: page.next !== undefined,
      EncodingType: query.get('encoding-type'),
      Contents: contents(page, encode, true),
      CommonPrefixes: page.prefixes.map((found) => ({ Prefix: encode(found) })),
    }),
  };
};
