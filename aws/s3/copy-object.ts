import { CopyObjectCommand } from '@aws-sdk/client-s3';
import type { CopyObjectOptions, Metadata, ObjectVersion } from '../../bytes/store.ts';
import { SourceChanged } from '../../formats/engine/errors.ts';
import { abortable, type Bucket, copySource } from './bucket.ts';
import { translate } from './failures.ts';

/** Copies an object of the same service, at most 5 GiB (CopyObject). @throws NotFound, SourceChanged, BackendUnavailable */
export async function copyObject(
  at: Bucket,
  from: ObjectVersion,
  key: string,
  { signal, metadata }: CopyObjectOptions = {},
): Promise<void> {
  const condition = await sourceCondition(at, from, signal);
  try {
    await at.client.send(
      new CopyObjectCommand({
        Bucket: at.bucket,
        Key: key,
        CopySource: copySource(from.store.bucket, from.key),
        ...condition,
        // Tags of who dropped an object are not ours: to copy them would take rights that nothing else here needs.
        TaggingDirective: 'REPLACE',
        ...(metadata === undefined
          ? {}
          : { MetadataDirective: 'REPLACE' as const, Metadata: encodedMetadata(metadata) }),
      }),
      abortable(signal),
    );
  } catch (error) {
    throw translate(error, at, key, signal);
  }
}

/**
 * The condition of a copy; where the service knows none, the source is looked at before.
 * @throws NotFound, SourceChanged, BackendUnavailable: of that look
 */
export async function sourceCondition(
  at: Bucket,
  { store, key, etag }: ObjectVersion,
  signal: AbortSignal | undefined,
): Promise<{ CopySourceIfMatch?: string }> {
  if (etag === undefined) return {};
  if ((await at.abilities()).conditionalCopies) return { CopySourceIfMatch: etag };
  if ((await store.headObject(key, signal)).etag !== etag)
    throw new SourceChanged(`${store.id}: ${key}: the object is not the one that was opened`);
  return {};
}

/** Header values are ASCII: anything else goes percent-encoded. */
export function encodedMetadata(metadata: Metadata): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, encodeURIComponent(value)]));
}
