import type { ServiceDeps } from '../../aws/deps.ts';
import { getJson } from '../../aws/s3/json-object.ts';
import { putMap } from '../../aws/s3/sparse-write.ts';
import { BackendUnavailable, ImageRefused, LimitExceeded } from '../../core/errors.ts';
import { imagePrefix } from '../../core/tasks/prefixes.ts';
import type { BatchProgress } from '../../core/tasks/task.ts';
import { storedGeometry } from '../../formats/sparse/geometry.ts';
import { SparseMap } from '../../formats/sparse/map.ts';
import { batchCount, type Fragment, fragmentKey, readPlan } from './import-plan.ts';
import { byteStep } from './step.ts';

const READS_AT_ONCE = 16;

/**
 * Gather: raises what a batch recorded as its failure; otherwise joins the fragments into the map, whose writing makes the
 * rendered image readable. Without a plan (nothing to render) there is nothing to do.
 */
export const handler = byteStep(async (deps, task) => {
  if (task.facts.rendered !== undefined) return;
  const plan = await readPlan(deps.places, task.id);
  const failed = (await deps.tasks.batches(task.id)).find((batch) => batch.error !== undefined);
  if (failed?.error !== undefined) throw raised(failed.error);
  const map = SparseMap.empty(storedGeometry(plan.virtualSize));
  await readFragments(deps, task.id, batchCount(plan), map);
  const prefix = imagePrefix(task.imageId, task.id);
  await putMap(deps.places.staging, prefix, map);
  await deps.tasks.note(task.id, { rendered: { place: 'staging', prefix, layout: 'sparse', size: plan.virtualSize } });
});

async function readFragments(deps: ServiceDeps, taskId: string, count: number, map: SparseMap): Promise<void> {
  const queue = Array.from({ length: count }, (_, n) => n).values();
  const lane = async (): Promise<void> => {
    for (const batch of queue) {
      const { slices } = await getJson<Fragment>(deps.places.staging, fragmentKey(taskId, batch));
      for (const { n, bitmap, length, crc32 } of slices) {
        map.set(n, { bitmap: Buffer.from(bitmap, 'base64'), segmentLength: length, crc32 });
      }
    }
  };
  await Promise.all(Array.from({ length: READS_AT_ONCE }, lane));
}

/** Kinds that a batch records; the platform's faults are retried by the workflow and never get here. */
function raised({ kind, message }: NonNullable<BatchProgress['error']>): Error {
  if (kind === 'LimitExceeded') return new LimitExceeded(message);
  if (kind === 'ImageRefused') return new ImageRefused(message);
  return new BackendUnavailable(message);
}
