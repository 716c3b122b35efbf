import { credentialOf } from '../iam/credential.ts';
import { type Access, evaluate } from '../iam/evaluate.ts';
import { type Iam, UnknownKey } from '../iam/iam.ts';
import { parsePolicy } from '../iam/policy.ts';
import { deletion, listing, s3Access } from '../iam/s3-access.ts';
import { AwsError } from '../wire/aws-error.ts';
import { S3Error } from './errors.ts';
import { copySource } from './operations/copy-source.ts';
import type { S3Request } from './request.ts';
import type { Store } from './store/store.ts';

/** Asks the policies of buckets, and of who calls where identities are asked at all. */
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

/** Checks against `iam`, if there is one; `store` knows which sources of copies have tags. */
export function accessCheck(iam: Iam | undefined, store: Store): AccessCheck {
  const keyOf = (request: S3Request): string | undefined => signerOf(request)?.accessKeyId;
  return {
    operation(request, name) {
      const bucketPolicy = store.buckets.get(request.bucket)?.record.policy;
      if (iam === undefined && bucketPolicy === undefined) return;
      const accesses = s3Access({ ...callOf(request, store), operation: name });
      asS3(() => iam?.authorize(keyOf(request), accesses));
      if (bucketPolicy !== undefined) obey(bucketPolicy, accesses);
    },
    deletion(request, key) {
      const bucketPolicy = store.buckets.get(request.bucket)?.record.policy;
      asS3(() => iam?.authorize(keyOf(request), [deletion(request.bucket, key)]));
      if (bucketPolicy !== undefined) obey(bucketPolicy, [deletion(request.bucket, key)]);
    },
    shown(request, error) {
      if (iam === undefined || !(error instanceof S3Error && error.code === 'NoSuchKey')) return error;
      const bucket = isCopy(request) ? copySource(request).bucket : request.bucket;
      return iam.allows(keyOf(request), listing(bucket)) ? error : new S3Error('AccessDenied');
    },
  };
}

/** Throws AccessDenied for what a bucket's policy denies; statements about other buckets speak of nothing here. */
function obey(policy: string, accesses: readonly Access[]): void {
  const statements = parsePolicy(policy);
  const denied = accesses.find((access) => evaluate(statements, access) === 'explicit deny');
  if (denied === undefined) return;
  const { action, resource } = denied;
  throw new S3Error(
    'AccessDenied',
    `User is not authorized to perform: ${action} on resource: ${resource} with an explicit deny in a resource-based policy`,
  );
}

const isCopy = (request: S3Request): boolean =>
  request.method === 'PUT' && request.header('x-amz-copy-source') !== undefined;

function callOf(request: S3Request, store: Store) {
  const { bucket, key, query } = request;
  // Parts are encrypted as their upload is, and say nothing of it.
  const upload = store.uploads.get(query.get('uploadId') ?? '')?.record.headers ?? {};
  const header = (name: string): string | undefined => request.header(name) ?? upload[name];
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
