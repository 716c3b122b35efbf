import { credentialOf } from '../iam/credential.ts';
import { type Iam, UnknownKey } from '../iam/iam.ts';
import { deletion, listing, s3Access } from '../iam/s3-access.ts';
import { AwsError } from '../wire/aws-error.ts';
import { S3Error } from './errors.ts';
import { copySource } from './operations/copy-source.ts';
import type { S3Request } from './request.ts';
import type { Store } from './store/store.ts';

/** Asks the policies of who calls; absent where nobody is asked. */
export interface AccessCheck {
  /** Throws AccessDenied, InvalidAccessKeyId. */
  operation(request: S3Request, name: string): void;
  /** One key of DeleteObjects. Throws AccessDenied. */
  deletion(request: S3Request, key: string): void;
  /**
   * What a caller may know of an error: that a key is not there is told only to those who may list the bucket; others get a 403, as for
   * an object that they may not read. Source: Amazon S3 API Reference, GetObject, "Permissions".
   */
  shown(request: S3Request, error: unknown): unknown;
}

/** The credential of a request, in its header or in a presigned URL. */
export const signerOf = (request: S3Request) =>
  credentialOf(request.header('authorization') ?? request.query.get('X-Amz-Credential'));

/** Checks against `iam`; `store` knows which sources of copies have tags. */
export function accessCheck(iam: Iam, store: Store): AccessCheck {
  const keyOf = (request: S3Request): string | undefined => signerOf(request)?.accessKeyId;
  return {
    operation(request, name) {
      asS3(() => iam.authorize(keyOf(request), s3Access({ ...callOf(request, store), operation: name })));
    },
    deletion(request, key) {
      asS3(() => iam.authorize(keyOf(request), [deletion(request.bucket, key)]));
    },
    shown(request, error) {
      if (!(error instanceof S3Error && error.code === 'NoSuchKey')) return error;
      const bucket = isCopy(request) ? copySource(request).bucket : request.bucket;
      return iam.allows(keyOf(request), listing(bucket)) ? error : new S3Error('AccessDenied');
    },
  };
}

const isCopy = (request: S3Request): boolean =>
  request.method === 'PUT' && request.header('x-amz-copy-source') !== undefined;

function callOf(request: S3Request, store: Store) {
  const { bucket, key, query, header } = request;
  const from = isCopy(request) ? copySource(request) : undefined;
  const tags = from === undefined ? [] : (store.buckets.get(from.bucket)?.objects.get(from.key)?.tags ?? []);
  const source = from === undefined ? undefined : { ...from, isTagged: tags.length > 0 };
  return { bucket, key, query, header, source };
}

function asS3(check: () => void): void {
  try {
    check();
  } catch (cause) {
    if (cause instanceof UnknownKey) throw Object.assign(new S3Error('InvalidAccessKeyId'), { cause });
    if (cause instanceof AwsError) throw Object.assign(new S3Error('AccessDenied', cause.message), { cause });
    throw cause;
  }
}
