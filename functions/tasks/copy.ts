import { copyStored } from '../../bytes/copy.ts';
import { expandStored } from '../../bytes/expand.ts';
import { imagePrefix } from '../../bytes/keys.ts';
import type { Store } from '../../bytes/store.ts';
import type { StoredBytes } from '../../bytes/stored-bytes.ts';
import { StoreFailed } from '../../core/errors.ts';
import { type ImportTask, type Reporter, reporter } from '../../core/imports/report.ts';
import { storeDone } from '../../core/imports/settle.ts';
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
  const report = reporter(deps, task, phase, 0, task.facts.work?.[phase] ?? rendered.size);
  const { url, storedBytes, layout } = await write(deps, { task, rendered, place, prefix, report, guard });
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

interface Copy {
  readonly task: ImportTask;
  readonly rendered: StoredBytes;
  readonly place: Store;
  readonly prefix: string;
  readonly report: Reporter;
  readonly guard: () => Promise<void>;
}

/** A store that keeps raw images whole gets the sparse rendering expanded; every other copy keeps its layout. */
async function write(
  deps: ServiceDeps,
  { rendered, place, prefix, report, guard }: Copy,
): Promise<{ url: string; storedBytes: number; layout: StoredBytes['layout'] }> {
  if (rendered.layout === 'sparse' && !place.sparse) {
    assertFits('copy', rendered.size);
    const onBytes = (bytes: number) => report.addShare(bytes / rendered.size);
    return { ...(await expandStored(deps.places, rendered, place, prefix, { guard, onBytes })), layout: 'plain' };
  }
  const onBytes = (bytes: number, total: number) => report.addShare(bytes / total);
  return { ...(await copyStored(deps.places, rendered, place, prefix, { guard, onBytes })), layout: rendered.layout };
}
