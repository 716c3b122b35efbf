import { recordedFailure } from '../../core/imports/recorded-failure.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import { storedGeometry } from '../../formats/engine/sparse/geometry.ts';
import { SparseMap } from '../../formats/engine/sparse/map.ts';
import type { StepTools } from '../imports/step.ts';
import { getJson } from '../json-object.ts';
import { fragmentKey, imagePrefix } from '../keys.ts';
import type { WithPlaces } from '../places.ts';
import { putMap } from '../sparse-writer.ts';
import type { StoredBytes } from '../stored-bytes.ts';
import { type AssembleDeps, assembleObject } from './assemble.ts';
import { assertResult } from './assert-result.ts';
import {
  batchCount,
  type EncodedFragment,
  type Fragment,
  type ImportPlan,
  isEncoded,
  readPlan,
} from './import-plan.ts';

const READS_AT_ONCE = 16;

/**
 * Gather: raises what a batch recorded as its failure; otherwise joins the fragments into the map, whose writing makes the
 * rendered image readable, or puts the object of another target format together. Without a plan (nothing to render) there is nothing to do.
 * @throws what a batch recorded; as `assembleObject`; BackendUnavailable
 */
export async function gatherRendered(deps: AssembleDeps, task: ImportTask, tools: StepTools): Promise<void> {
  if (task.facts.rendered !== undefined) return;
  const plan = await readPlan(deps.places, task.id);
  const failed = (await deps.tasks.batches(task.id)).find((batch) => batch.error !== undefined);
  if (failed?.error !== undefined) throw recordedFailure(failed.error);
  const rendered = isEncoded(plan)
    ? await assembleObject(deps, task, plan.conversion, fragments<EncodedFragment>(deps, task.id, plan), tools)
    : await gatherSparse(deps, task, plan);
  if (plan.conversion !== undefined) await assertResult(deps, rendered, plan.conversion);
  await deps.tasks.note(task.id, { rendered });
}

async function gatherSparse(deps: WithPlaces, task: ImportTask, plan: ImportPlan): Promise<StoredBytes> {
  const map = SparseMap.empty(storedGeometry(plan.virtualSize));
  for await (const { slices } of fragments<Fragment>(deps, task.id, plan)) {
    for (const { n, bitmap, length, crc32 } of slices) {
      map.set(n, { bitmap: Buffer.from(bitmap, 'base64'), segmentLength: length, crc32 });
    }
  }
  const prefix = imagePrefix(task.imageId, task.id);
  await putMap(deps.places.staging, prefix, map);
  return { place: 'staging', prefix, layout: 'sparse', size: plan.virtualSize };
}

/** The fragments of all batches, a few being read at once. */
async function* fragments<T>(deps: WithPlaces, taskId: string, plan: ImportPlan): AsyncGenerator<T> {
  const count = batchCount(plan);
  const read = (batch: number): Promise<T> => getJson<T>(deps.places.staging, fragmentKey(taskId, batch));
  for (let first = 0; first < count; first += READS_AT_ONCE) {
    const length = Math.min(READS_AT_ONCE, count - first);
    yield* await Promise.all(Array.from({ length }, (_, n) => read(first + n)));
  }
}
