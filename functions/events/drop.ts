import { serviceDeps } from '../../aws/deps.ts';
import { moveObject } from '../../aws/s3/copy-object.ts';
import { describeObject } from '../../aws/s3/describe-object.ts';
import { NotFound } from '../../core/errors.ts';
import { acceptDrop } from '../../core/tasks/drop.ts';

/** "Object Created" of Amazon S3, as EventBridge delivers it. Keys are plain text here, not URL-encoded. */
interface ObjectCreated {
  readonly detail: {
    readonly bucket: { readonly name: string };
    readonly object: {
      readonly key: string;
      readonly etag?: string;
      readonly size?: number;
      readonly sequencer?: string;
    };
  };
}

/** A file was dropped into the staging bucket: it becomes an image of the project its key names, or goes into quarantine with the reason. */
export const handler = async ({ detail }: ObjectCreated): Promise<unknown> => {
  const deps = await serviceDeps();
  const { key, sequencer = '' } = detail.object;
  const { staging } = deps.places;
  try {
    const { etag, size, metadata } = await describeObject(staging, key);
    const outcome = await acceptDrop(deps, {
      bucket: staging.bucket,
      key,
      etag,
      size,
      sequencer: sequencer || etag,
      metadata,
    });
    if (outcome.kind === 'imported') return outcome;
    deps.log.warn('dropped file quarantined', { key, reason: outcome.reason });
    await moveObject(staging, key, `quarantine/${key.slice('drop/'.length)}`, { reason: outcome.reason });
    return outcome;
  } catch (error) {
    if (error instanceof NotFound) return { kind: 'gone' }; // taken by an earlier delivery, or removed by its owner
    throw error;
  }
};
