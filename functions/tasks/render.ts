import { putJson } from '../../aws/s3/json-object.ts';
import { imagePrefix } from '../../bytes/prefixes.ts';
import { putSegment } from '../../bytes/sparse-writer.ts';
import { openStored } from '../../bytes/stored-image.ts';
import { ImageRefused, LimitExceeded } from '../../core/errors.ts';
import { type ImportTask, type Reporter, reporter } from '../../core/imports/report.ts';
import type { DiskImage, FormatName } from '../../formats/engine/image.ts';
import { SLICE_BYTES } from '../../formats/engine/sparse/geometry.ts';
import { packSliceInPlace } from '../../formats/engine/sparse/pack.ts';
import { openImage } from '../../formats/registry.ts';
import type { ServiceDeps } from '../../service/deps.ts';
import { encodeSlices } from './encode.ts';
import {
  type EncodedFragment,
  type Fragment,
  fragmentKey,
  type ImportPlan,
  readPlan,
  slicesOfBatch,
} from './import-plan.ts';
import { byteStep, type StepEvent, serviceError } from './step.ts';

type Slice = Fragment['slices'][number];
interface Batch {
  readonly deps: ServiceDeps;
  readonly task: ImportTask;
  readonly plan: ImportPlan;
  readonly image: DiskImage;
  readonly report: Reporter;
  readonly guard: () => Promise<void>;
}

/** Slices of one batch on their way at once: one is decoded while another is being stored. Memory: so many slices. */
const IN_FLIGHT = 2;

/**
 * Render: the slices of one batch are read, packed and stored as segments, or encoded for the target format. Any worker may
 * do any batch, twice or late: the objects' names and bytes follow from the plan. What is wrong with the image goes into the
 * batch record, for Gather.
 */
export const handler = byteStep<StepEvent & { readonly batch: number }>(async (deps, task, { batch }, guard) => {
  const before = await deps.tasks.batch(task.id, 'render', batch);
  if (before !== undefined && before.bytesDone === before.bytesTotal && before.error === undefined) return;
  const plan = await readPlan(deps.places, task.id);
  const numbers = slicesOfBatch(plan, batch);
  const report = reporter(deps, task, 'render', batch, numbers.length * SLICE_BYTES);
  try {
    const image = await openImage(await openStored(deps.places, plan.source), plan.sourceFormat as FormatName);
    const fragment = await renderOrEncode({ deps, task, plan, image, report, guard }, numbers);
    await putJson(deps.places.staging, fragmentKey(task.id, batch), fragment);
    await report.end();
  } catch (error) {
    const known = serviceError(error);
    if (!(known instanceof ImageRefused || known instanceof LimitExceeded)) throw known;
    await report.end(known);
  }
});

async function renderOrEncode(batch: Batch, numbers: readonly number[]): Promise<Fragment | EncodedFragment> {
  const { deps, task, plan, image, report, guard } = batch;
  const { conversion } = plan;
  if (conversion === undefined) return { slices: await renderSlices(batch, numbers) };
  const onBytes = (bytes: number) => report.add(bytes);
  return { encoded: await encodeSlices({ deps, taskId: task.id, image, conversion, guard, onBytes }, numbers) };
}

async function renderSlices(batch: Batch, numbers: readonly number[]): Promise<Slice[]> {
  const rendered: (Slice | undefined)[] = [];
  const queue = numbers.entries();
  const lane = async (): Promise<void> => {
    const memory = new ArrayBuffer(SLICE_BYTES);
    for (const [at, n] of queue) rendered[at] = await renderSlice(batch, n, Buffer.from(memory));
    // Given back now: a thread that waits for its next call collects no garbage.
    memory.transfer(0);
  };
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, numbers.length) }, lane));
  return rendered.filter((slice) => slice !== undefined);
}

async function renderSlice(
  { deps, task, plan, image, report, guard }: Batch,
  n: number,
  buffer: Buffer,
): Promise<Slice | undefined> {
  const start = n * SLICE_BYTES;
  const slice = buffer.subarray(0, Math.min(SLICE_BYTES, plan.virtualSize - start));
  await image.readInto(start, slice);
  const { bitmap, segment, crc32 } = packSliceInPlace(slice);
  if (segment.length > 0) {
    await guard();
    await putSegment(deps.places.staging, imagePrefix(task.imageId, task.id), n, segment, crc32);
  }
  await report.add(SLICE_BYTES);
  if (segment.length === 0) return undefined;
  return { n, bitmap: Buffer.from(bitmap).toString('base64'), length: segment.length, crc32 };
}
