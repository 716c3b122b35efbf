import type { S3Client } from '@aws-sdk/client-s3';
import type { Abilities } from '../../bytes/store.ts';

/** A bucket, the client that reaches it, and what the service behind it can. */
export interface Bucket {
  /** Of the store, for messages. */
  readonly id: string;
  readonly bucket: string;
  readonly client: S3Client;
  /** Found out at the first call, where they are not known. @throws BackendUnavailable when they cannot be */
  readonly abilities: () => Promise<Abilities>;
}

const MIB = 1024 * 1024;

/** Amazon S3 (User Guide, "Amazon S3 multipart upload limits" and "Checking object integrity"), and `local/`. */
export const AWS_ABILITIES: Abilities = {
  verifiesCrc32: true,
  verifiesMd5: true,
  partChecksumsInComplete: true,
  fullObjectCrc32: true,
  needsContentMd5: false,
  conditionalCopies: true,
  etagOfComplete: true,
  minPartBytes: 5 * MIB,
  maxPartBytes: 5 * 1024 * MIB,
  maxParts: 10_000,
  maxCopyBytes: 5 * 1024 * MIB,
};

/** An object as the source of a copy inside the service (S3 `x-amz-copy-source`). */
export function copySource(bucket: string, key: string): string {
  return `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
}

/** How the SDK is told of a signal. */
export function abortable(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}
