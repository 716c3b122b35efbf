import type { WithConfig } from '../../core/config.ts';
import { ImageRefused } from '../../core/errors.ts';
import type { WithImages } from '../../core/images/repository.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import { isCounted } from '../../core/quota/ceilings.ts';
import type { WithTasks } from '../../core/tasks/repository.ts';
import type { ImportMethod } from '../../core/tasks/task.ts';
import { renderedImage } from '../../formats/convert/placed.ts';
import { type ConversionPlan, planConversion } from '../../formats/convert/plan.ts';
import type { DiskImage, FormatName } from '../../formats/engine/image.ts';
import type { ByteSource } from '../../formats/engine/source.ts';
import { SLICE_BYTES } from '../../formats/engine/sparse/geometry.ts';
import { openImage } from '../../formats/registry.ts';
import { bytesThrough } from '../imports/copy-to-store.ts';
import { putJson } from '../json-object.ts';
import { planKey } from '../keys.ts';
import type { WithPlaces } from '../places.ts';
import type { StoredBytes } from '../stored-bytes.ts';
import { openStored } from '../stored-image.ts';
import { batchCount, type ImportPlan, isEncoded, runsOf, slicesPerBatch, sliceTotal } from './import-plan.ts';
import { targetOptions } from './target-options.ts';

type PlanDeps = WithConfig & WithImages & WithTasks & WithPlaces;

/**
 * Plan: what has to be rendered, cut into numbered batches. Bytes that are stored as they arrived need none: they are what
 * the stores get. Raw content is packed sparse when a requested store keeps raw images so.
 * @throws ImageRefused when there are no bytes; LimitExceeded; as `openStored` and the engine
 */
export async function planRendering(
  deps: PlanDeps,
  task: ImportTask,
): Promise<{ readonly batches: readonly number[] }> {
  const { source } = task.facts;
  if (source === undefined) throw new ImageRefused(`Task ${task.id} has no bytes to plan for`);
  if (!(await needsRender(deps, task, source))) {
    await takePlace(deps, task, source.size);
    const work = { ...earlierWork(task), ...tailWork(task, source), ...streamedCopies(deps, task, source) };
    await deps.tasks.note(task.id, { rendered: source, work });
    return { batches: [] };
  }
  const plan = await planRender(deps, task, source);
  await takePlace(deps, task, plan.virtualSize);
  await putJson(deps.places.staging, planKey(task.id), plan);
  const hash = keepsContent(task) && task.facts.sourceDigests !== undefined ? {} : { hash: plan.virtualSize };
  const render = sliceTotal(plan) * SLICE_BYTES;
  // How long the result will be is known when it is assembled; until then, as long as its slices.
  const tail = isEncoded(plan) ? { assemble: render, hash: render } : hash;
  const layout = isEncoded(plan) ? 'plain' : 'sparse';
  const copies = streamedCopies(deps, task, { layout, size: plan.virtualSize }, render);
  await deps.tasks.note(task.id, {
    // The target may pad the disk to whole sectors, or more.
    ...(plan.conversion === undefined ? {} : { virtualSize: plan.conversion.outputSize }),
    work: { ...earlierWork(task), render, ...tail, ...copies },
  });
  return { batches: Array.from({ length: batchCount(plan) }, (_, n) => n) };
}

/**
 * Every store's copy counts as what a download returns: its place is taken before any is made. A copy has its place since it began.
 * @throws LimitExceeded
 */
async function takePlace(deps: WithConfig & WithImages, task: ImportTask, size: number): Promise<void> {
  if (!isCounted(deps.config) || task.import.method.name === 'copy-image') return;
  // Planned again by a second try, perhaps after the first copy made the image active.
  const image = await deps.images.get(task.imageId);
  if (image?.status !== 'importing' || image.size === size) return;
  await deps.images.change(task.imageId, {
    expect: { lock: task.id, status: ['importing'] },
    set: { size },
    quiet: true,
  });
}

/** The bytes a download returns are those that arrived: no conversion between. */
export const keepsContent = (task: ImportTask): boolean => task.facts.targetFormat === undefined;

async function needsRender(deps: WithImages & WithPlaces, task: ImportTask, source: StoredBytes): Promise<boolean> {
  if (task.import.method.name === 'copy-image' || source.size === 0) return false;
  if (!keepsContent(task)) return true;
  if (source.layout === 'sparse') return false;
  const image = await deps.images.get(task.imageId);
  const raw = task.facts.format === 'raw' && image?.diskFormat === 'raw' && image.containerFormat === 'bare';
  return raw && task.import.stores.some((store) => deps.places.store(store).sparse);
}

async function planRender(deps: WithConfig & WithPlaces, task: ImportTask, source: StoredBytes): Promise<ImportPlan> {
  const bytes = await openStored(deps.places, source);
  const format = (task.facts.format ?? 'raw') as FormatName;
  const opened = await openImage(bytes, format);
  const conversion = conversionOf(deps, task, opened, bytes);
  const image = conversion === undefined ? opened : renderedImage(opened, conversion);
  const slices: number[] = [];
  for await (const extent of image.extents(0, image.virtualSize)) {
    if (!extent.allocated || extent.zero) continue;
    const last = Math.floor((extent.start + extent.length - 1) / SLICE_BYTES);
    for (let n = Math.max(Math.floor(extent.start / SLICE_BYTES), (slices.at(-1) ?? -1) + 1); n <= last; n++)
      slices.push(n);
  }
  return {
    version: 1,
    source: { ...source, size: bytes.size, ...(bytes.etag === undefined ? {} : { etag: bytes.etag }) },
    sourceFormat: format,
    virtualSize: image.virtualSize,
    runs: runsOf(slices),
    slicesPerBatch: slicesPerBatch(slices.length),
    ...(conversion === undefined ? {} : { conversion }),
  };
}

/** What becomes of an image that is converted; raw needs no more than the slices. */
function conversionOf(
  deps: WithConfig,
  task: ImportTask,
  image: DiskImage,
  source: ByteSource,
): ConversionPlan | undefined {
  const { targetFormat } = task.facts;
  if (targetFormat === undefined || targetFormat === 'raw') return undefined;
  return planConversion(image, source, targetOptions(deps.config, targetFormat, task.imageId));
}

/** Methods whose bytes come from elsewhere: they were moved, and hashed on the way. */
const FETCHED: ReadonlySet<ImportMethod['name']> = new Set(['web-download', 'glance-download']);

/** Bytes that the fetch moved, and those that were unpacked, count as done work. */
function earlierWork({ import: { method }, facts: { source, packed } }: ImportTask): Record<string, number> {
  return {
    ...(FETCHED.has(method.name) ? { fetch: (packed ?? source)?.size ?? 0 } : {}),
    ...(packed === undefined ? {} : { decompress: packed.size }),
  };
}

/**
 * Copies that pass through a step, expanded or to another service; those that a service makes itself take no time worth counting.
 * @param kept bytes that a copy in the same layout moves
 */
function streamedCopies(
  { places }: WithPlaces,
  { import: { stores } }: ImportTask,
  { layout, size }: Pick<StoredBytes, 'layout' | 'size'>,
  kept = size,
): Record<string, number> {
  const bytesTo = (store: string) => bytesThrough({ layout, size }, places.staging, places.store(store), kept);
  return Object.fromEntries(
    stores.map((store) => [`copy:${store}`, bytesTo(store)]).filter(([, bytes]) => bytes !== 0),
  );
}

/** Without rendering, what remains is to hash (unless that was done on the way) or, failing that, to copy. */
function tailWork(task: ImportTask, source: StoredBytes): Record<string, number> {
  if (task.facts.sourceDigests === undefined && task.import.method.name !== 'copy-image') return { hash: source.size };
  if (FETCHED.has(task.import.method.name)) return {};
  return Object.fromEntries(task.import.stores.map((store) => [`copy:${store}`, source.size]));
}
