import type { Place } from '../../aws/s3/places.ts';
import { copyStored } from '../../bytes/copy.ts';
import { expandStored } from '../../bytes/expand.ts';
import { imagePrefix } from '../../bytes/prefixes.ts';
import { StoreFailed } from '../../core/errors.ts';
import { type Reporter, reporter } from '../../core/imports/report.ts';
import { storeDone } from '../../core/imports/settle.ts';
import type { StoredBytes } from '../../core/tasks/task.ts';
import type { ServiceDeps } from '../../service/deps.ts';
import { byteStep, type StepEvent } from './step.ts';
import { assertFits } from './too-long.ts';

/** CopyToStore: one store gets the rendered image, server-side, and the location is recorded once the copy is readable. */
export const handler = byteStep<StepEvent & { readonly store: string }>(async (deps, task, { store }, guard) => {
  const { rendered } = task.facts;
  if (rendered === undefined) throw new StoreFailed(`Task ${task.id} has nothing to copy to ${store}`);
  const place = deps.places.store(store);
  const prefix = imagePrefix(task.imageId, task.id);
  const phase = `copy:${store}`;
  const stored = task.facts.work?.[phase] ?? rendered.size;
  const report = reporter(deps, task, phase, 0, stored);
  const { url, storedBytes, layout } = await write(deps, { stored, rendered, place, prefix, report, guard });
  await report.end();
  await storeDone(deps, task, {
    store,
    writeId: task.id,
    layout,
    storedBytes,
    url,
    metadata: {},
    addedAtMs: deps.clock.now(),
  });
});

/**
 * Bytes of a copy that pass through this process: the whole image where it is written whole, what is stored on the way to another
 * service, and none within one service, which copies by itself.
 */
export function bytesThrough(
  { layout, size }: Pick<StoredBytes, 'layout' | 'size'>,
  from: Pick<Place, 'service'>,
  to: Pick<Place, 'service' | 'sparse'>,
  stored: number,
): number {
  if (layout === 'sparse' && !to.sparse) return size;
  return from.service === to.service ? 0 : stored;
}

interface Copy {
  /** Bytes that the copy takes, as far as they are known. */
  readonly stored: number;
  readonly rendered: StoredBytes;
  readonly place: Place;
  readonly prefix: string;
  readonly report: Reporter;
  readonly guard: () => Promise<void>;
}

/** A store that keeps raw images whole gets the sparse rendering expanded; every other copy keeps its layout. */
async function write(
  deps: ServiceDeps,
  { stored, rendered, place, prefix, report, guard }: Copy,
): Promise<{ url: string; storedBytes: number; layout: StoredBytes['layout'] }> {
  assertFits('copy', bytesThrough(rendered, deps.places.of(rendered.place), place, stored));
  if (rendered.layout === 'sparse' && !place.sparse) {
    const onBytes = (bytes: number) => report.addShare(bytes / rendered.size);
    return { ...(await expandStored(deps.places, rendered, place, prefix, { guard, onBytes })), layout: 'plain' };
  }
  const onBytes = (bytes: number, total: number) => report.addShare(bytes / total);
  return { ...(await copyStored(deps.places, rendered, place, prefix, { guard, onBytes })), layout: rendered.layout };
}
