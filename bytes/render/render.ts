import type { WithClock } from '../../core/clock.ts';
import type { WithDuties } from '../../core/duties/duty.ts';
import { ImageRefused, LimitExceeded } from '../../core/errors.ts';
import type { WithImages } from '../../core/images/repository.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import { reporter } from '../../core/imports/report/reporter.ts';
import type { WithLog } from '../../core/log.ts';
import type { WithTasks } from '../../core/tasks/repository.ts';
import { renderedImage } from '../../formats/convert/placed.ts';
import type { FormatName } from '../../formats/engine/image.ts';
import { SLICE_BYTES } from '../../formats/engine/sparse/geometry.ts';
import { openImage } from '../../formats/registry.ts';
import { type Guard, serviceError } from '../imports/step.ts';
import { putJson } from '../json-object.ts';
import { fragmentKey, imagePrefix } from '../keys.ts';
import type { WithPlaces } from '../places.ts';
import { openStored } from '../stored-image.ts';
import { encodeSlices } from './encode.ts';
import {
  type EncodedFragment,
  type Fragment,
  type ImportPlan,
  isEncoded,
  readPlan,
  slicesOfBatch,
} from './import-plan.ts';
import { packSlices } from './pack-slices.ts';

type RenderDeps = WithClock & WithImages & WithTasks & WithDuties & WithLog & WithPlaces;

/** What a batch works with besides its slices. */
interface Batch {
  readonly task: ImportTask;
  readonly plan: ImportPlan;
  readonly guard: Guard;
  /** Told of guest bytes done. */
  readonly onBytes: (bytes: number) => Promise<void>;
}

/**
 * Render: the slices of one batch are read, packed and stored as segments, or encoded for the target format. Any worker may
 * do any batch, twice or late: the objects' names and bytes follow from the plan. What is wrong with the image goes into the
 * batch record, for Gather.
 * @throws BackendUnavailable and its like, worth another try; what `guard` throws
 */
export async function renderBatch(deps: RenderDeps, task: ImportTask, batch: number, guard: Guard): Promise<void> {
  const before = await deps.tasks.batch(task.id, 'render', batch);
  if (before !== undefined && before.bytesDone === before.bytesTotal && before.error === undefined) return;
  const plan = await readPlan(deps.places, task.id);
  const numbers = slicesOfBatch(plan, batch);
  const report = reporter(deps, task, 'render', batch, numbers.length * SLICE_BYTES);
  const onBytes = (bytes: number) => report.add(bytes);
  try {
    const fragment = await fragmentOf(deps, { task, plan, guard, onBytes }, numbers);
    await putJson(deps.places.staging, fragmentKey(task.id, batch), fragment);
    await report.end();
  } catch (error) {
    const known = serviceError(error);
    if (!(known instanceof ImageRefused || known instanceof LimitExceeded)) throw known;
    await report.end(known);
  }
}

async function fragmentOf(
  { places }: WithPlaces,
  { task, plan, guard, onBytes }: Batch,
  numbers: readonly number[],
): Promise<Fragment | EncodedFragment> {
  const { staging } = places;
  const opened = await openImage(await openStored(places, plan.source), plan.sourceFormat as FormatName);
  const image = plan.conversion === undefined ? opened : renderedImage(opened, plan.conversion);
  if (isEncoded(plan)) {
    const { conversion } = plan;
    return { encoded: await encodeSlices({ staging, taskId: task.id, image, conversion, guard, onBytes }, numbers) };
  }
  const prefix = imagePrefix(task.imageId, task.id);
  return { slices: await packSlices({ to: staging, prefix, image, plan, guard, onBytes }, numbers) };
}
