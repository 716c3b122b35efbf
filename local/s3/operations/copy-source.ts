import { S3Error } from '../errors.ts';
import type { S3Request } from '../request.ts';

/** Bucket and key of `x-amz-copy-source`: percent-encoded, with or without a leading slash. Throws InvalidArgument, NotImplemented. */
export function copySource(request: S3Request): { bucket: string; key: string } {
  const header = request.header('x-amz-copy-source') ?? '';
  const mark = header.indexOf('?versionId=');
  if (mark !== -1 && header.slice(mark) !== '?versionId=null')
    throw new S3Error('NotImplemented', 'Object versions are not implemented');
  let path: string;
  try {
    path = decodeURIComponent(mark === -1 ? header : header.slice(0, mark)).replace(/^\//, '');
  } catch (cause) {
    throw Object.assign(new S3Error('InvalidArgument', 'Invalid copy source encoding.'), { cause });
  }
  const slash = path.indexOf('/');
  if (slash < 1 || slash === path.length - 1) throw new S3Error('InvalidArgument', 'Invalid copy source object key');
  return { bucket: path.slice(0, slash), key: path.slice(slash + 1) };
}
