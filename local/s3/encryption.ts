import { S3Error } from './errors.ts';
import type { S3Request } from './request.ts';
import type { BucketRecord, ObjectAttributes } from './store/model.ts';

const ALGORITHM = 'x-amz-server-side-encryption';
const KEY_ID = `${ALGORITHM}-aws-kms-key-id`;
const KMS = ['aws:kms', 'aws:kms:dsse'];

/**
 * How an object says that it is encrypted: by the headers of the request, or as its bucket does by default. Nothing here encrypts; the
 * headers are kept and given back. Throws InvalidArgument. Source: Amazon S3 User Guide, "Specifying server-side encryption with AWS KMS".
 */
export function encryptionOf(request: S3Request, bucket: BucketRecord): Record<string, string> {
  const algorithm = request.header(ALGORITHM);
  const key = request.header(KEY_ID);
  if (algorithm === undefined) {
    if (key !== undefined)
      throw new S3Error(
        'InvalidArgument',
        'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms',
      );
    return bucketEncryption(bucket);
  }
  if (algorithm !== 'AES256' && !KMS.includes(algorithm))
    throw new S3Error('InvalidArgument', 'The encryption method specified is not supported');
  return encryptionHeaders(algorithm, key);
}

/** What a bucket's objects are encrypted with when their request does not say: with S3's own key when the bucket does not say either. */
export const bucketEncryption = (bucket: BucketRecord): Record<string, string> =>
  bucket.encryption ?? encryptionHeaders('AES256', undefined);

/** Of an object's or an upload's headers those that say how it is encrypted. */
export const encryptionIn = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name === ALGORITHM || name === KEY_ID));

/** The headers of an encryption; an algorithm without keys has none. */
export function encryptionHeaders(algorithm: string, key: string | undefined): Record<string, string> {
  return { [ALGORITHM]: algorithm, ...(key === undefined || !KMS.includes(algorithm) ? {} : { [KEY_ID]: key }) };
}

/** Attributes of a new object with its own encryption in place of that of where they came from. */
export function encrypted(
  attributes: ObjectAttributes,
  encryption: Readonly<Record<string, string>>,
): ObjectAttributes {
  const { [ALGORITHM]: _algorithm, [KEY_ID]: _key, ...headers } = attributes.headers;
  return { ...attributes, headers: { ...headers, ...encryption } };
}
