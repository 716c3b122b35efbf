import { CopyObjectCommand, DeleteObjectCommand } from '@aws-sdk/client-s3';
import { copySource } from '../../bytes/object-keys.ts';
import { translate } from './failures.ts';
import type { Place } from './places.ts';

/** Moves an object within its bucket, replacing its user metadata; at most 5 GiB (CopyObject). @throws NotFound, BackendUnavailable */
export async function moveObject(
  place: Place,
  from: string,
  to: string,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const { bucket: Bucket } = place;
  try {
    const CopySource = copySource(place, from);
    const Metadata = Object.fromEntries(
      Object.entries(metadata).map(([key, value]) => [key, encodeURIComponent(value)]),
    );
    await place.client.send(
      // Tags of who dropped it are not ours: to copy them would take rights that nothing else here needs.
      new CopyObjectCommand({
        ...{ Bucket, Key: to, CopySource, MetadataDirective: 'REPLACE', Metadata },
        TaggingDirective: 'REPLACE',
      }),
    );
    await place.client.send(new DeleteObjectCommand({ Bucket, Key: from }));
  } catch (error) {
    throw translate(error, place, from);
  }
}
