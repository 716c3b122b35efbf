import type { WithClock } from '../../core/clock.ts';
import type { WithConfig } from '../../core/config.ts';
import type { WithDuties } from '../../core/duties/duty.ts';
import { StoreFailed } from '../../core/errors.ts';
import type { WithImages } from '../../core/images/repository.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import { type Reporter, reporter } from '../../core/imports/report/reporter.ts';
import { storeDone } from '../../core/imports/settle.ts';
import type { WithLog } from '../../core/log.ts';
import type { WithTasks } from '../../core/tasks/repository.ts';
import { copyStored } from '../copy.ts';
import { expandStored } from '../expand.ts';
import { imagePrefix, uploadNoteKey } from '../keys.ts';
import type { WithPlaces } from '../places.ts';
import type { Store } from '../store.ts';
import type { StoredBytes } from '../stored-bytes.ts';
import type { StepTools } from './step.ts';

type CopyDeps = WithConfig & WithClock & WithImages & WithTasks & WithDuties & WithLog & WithPlaces;

/**
 * CopyToStore: one store gets the rendered image, server-side where that goes, and the location is recorded once the copy is readable.
 * @throws StoreFailed when there is nothing to copy; StepTooLong; as `copyStored` and `expandStored`
 */
export async function copyToStore(deps: CopyDeps, task: ImportTask, store: string, tools: StepTools): Promise<void> {
  const { rendered } = task.facts;
  if (rendered === undefined) throw new StoreFailed(`Task ${task.id} has nothing to copy to ${store}`);
  const to = deps.places.store(store);
  const phase = `copy:${store}`;
  const stored = task.facts.work?.[phase] ?? rendered.size;
  const isRetry = (await deps.tasks.batch(task.id, phase, 0)) !== undefined;
  const report = reporter(deps, task, phase, 0, stored);
  const prefix = imagePrefix(task.imageId, task.id);
  tools.assertFits('copy', bytesThrough(rendered, deps.places.of(rendered.place), to, stored));
  const noteKey = uploadNoteKey(task.id, phase);
  const copy = { rendered, to, prefix, report, isRetry, noteKey };
  const { url, storedBytes, layout } = await write(deps, copy, tools);
  await report.end();
  const addedAtMs = deps.clock.now();
  await storeDone(deps, task, { store, writeId: task.id, layout, storedBytes, url, metadata: {}, addedAtMs });
}

/**
 * Bytes of a copy that pass through this process: the whole image where it is written whole, what is stored on the way to another
 * service, and none within one service, which copies by itself.
 */
export function bytesThrough(
  { layout, size }: Pick<StoredBytes, 'layout' | 'size'>,
  from: Store,
  to: Pick<Store, 'canCopyFrom' | 'sparse'>,
  stored: number,
): number {
  if (layout === 'sparse' && !to.sparse) return size;
  return to.canCopyFrom(from) ? 0 : stored;
}

interface Copy {
  readonly rendered: StoredBytes;
  readonly to: Store;
  readonly prefix: string;
  readonly report: Reporter;
  /** An earlier attempt reported. */
  readonly isRetry: boolean;
  /** Under which an upload in parts is noted. */
  readonly noteKey: string;
}

/** A store that keeps raw images whole gets the sparse rendering expanded; every other copy keeps its layout. */
async function write(
  { places }: WithPlaces,
  { rendered, to, prefix, report, isRetry, noteKey }: Copy,
  { guard }: StepTools,
): Promise<{ url: string; storedBytes: number; layout: StoredBytes['layout'] }> {
  if (rendered.layout === 'sparse' && !to.sparse) {
    const onBytes = (bytes: number) => report.addShare(bytes / rendered.size);
    return {
      ...(await expandStored(places, rendered, to, prefix, { guard, onBytes, isRetry, noteKey })),
      layout: 'plain',
    };
  }
  const onBytes = (bytes: number, total: number) => report.addShare(bytes / total);
  return {
    ...(await copyStored(places, rendered, to, prefix, { guard, onBytes, isRetry, noteKey })),
    layout: rendered.layout,
  };
}
