import type { WithBytes } from '../../bytes/bytes-port.ts';
import { imagePrefix, planPrefix, stagedPrefix } from '../../bytes/keys.ts';
import type { WithClock } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import type { WithDuties } from '../duties/duty.ts';
import { Conflict, NotFound } from '../errors.ts';
import type { Image, Location } from '../images/image.ts';
import { locationId } from '../images/image.ts';
import type { ImageChange, WithImages } from '../images/repository.ts';
import { retireWrite } from '../images/retire-write.ts';
import type { WithLog } from '../log.ts';
import type { WithTasks } from '../tasks/repository.ts';
import { type ImportTask, importTask } from './report.ts';
import { expiry } from './settle.ts';

type RevertDeps = WithClock & WithConfig & WithTasks & WithImages & WithDuties & WithBytes & WithLog;

/**
 * The end of a failed import (import.md section 4): this task's copies are taken off the image and swept, the lists say which
 * stores failed, the image goes back to `queued` (copy-image: stays active), the lock opens, the task names the cause.
 * It may run twice, late, or beside a worker that is still writing: it touches only what this task owns.
 */
export async function revertImport(deps: RevertDeps, taskId: string, cause: string): Promise<void> {
  const task = await importTask(deps, taskId);
  if (task.status === 'success') return;
  const image = await deps.images.get(task.imageId);
  if (image?.lock === taskId) await unwind(deps, task, image);
  await closeTask(deps, task, cause);
  await sweep(deps, task, image);
  await deps.duties.remove(`task:${taskId}`);
}

async function unwind(deps: RevertDeps, task: ImportTask, image: Image): Promise<void> {
  try {
    await deps.images.change(task.imageId, undoing(task, image));
  } catch (error) {
    if (!(error instanceof Conflict || error instanceof NotFound)) throw error; // deleted or preempted meanwhile
    deps.log.info('revert: the image is no longer held by the task', { task: task.id, image: task.imageId });
  }
}

function undoing(task: ImportTask, image: Image): ImageChange {
  const { method } = task.import;
  // An image that was active before, or did not wait for its hash, stays active with what it has.
  const kept = method.name === 'copy-image' || (method.name === 'location' && image.status !== 'importing');
  const own = kept ? [] : image.locations.filter((location) => isOwn(task, location)).map(locationId);
  return {
    expect: { lock: task.id },
    set: { lock: null, progress: null, ...(kept ? {} : CLEARED) },
    ...(own.length === 0 ? {} : { removeLocations: own }),
    ...(method.name === 'location'
      ? {}
      : { importingTo: { remove: task.import.stores }, failedImport: { add: failedStores(task, image) } }),
  };
}

/** Written, or brought, by this task. */
function isOwn(task: ImportTask, location: Location): boolean {
  const { method } = task.import;
  if (method.name === 'location') return location.writeId === undefined && location.url === method.url;
  return location.writeId === task.id;
}

const CLEARED = {
  status: 'queued',
  size: null,
  virtualSize: null,
  checksum: null,
  hashAlgo: null,
  hashValue: null,
  staged: null,
} as const;

/**
 * Which stores are named as failed. A store that broke is in the list already. When the fault was not a store's, none was
 * written: all requested ones failed. Methods that fetch or convert name all in either case, as Glance's reverts do.
 */
function failedStores(task: ImportTask, image: Image): readonly string[] {
  const broke = task.import.stores.filter((store) => image.failedImport?.includes(store));
  const plain =
    task.import.method.name === 'copy-image' ||
    (task.import.method.name === 'glance-direct' && task.facts.targetFormat === undefined);
  if (!plain || broke.length === 0) return copyingHolds(task, image);
  return broke;
}

/** copy-image keeps the copies that were made: only stores without one have failed. */
function copyingHolds(task: ImportTask, image: Image): readonly string[] {
  if (task.import.method.name !== 'copy-image') return task.import.stores;
  return task.import.stores.filter((store) => !image.locations.some((location) => location.store === store));
}

async function closeTask(deps: RevertDeps, task: ImportTask, cause: string): Promise<void> {
  try {
    await deps.tasks.move(task.id, ['pending', 'processing'], {
      status: 'failure',
      message: cause,
      expiresAt: expiry(deps),
    });
  } catch (error) {
    if (!(error instanceof Conflict)) throw error; // failed already
  }
}

/** Everything this task may have written, in every place; copies of copy-image that are recorded stay. */
async function sweep(deps: RevertDeps, task: ImportTask, image: Image | undefined): Promise<void> {
  const prefix = imagePrefix(task.imageId, task.id);
  const kept =
    task.import.method.name === 'copy-image'
      ? (image?.locations ?? []).filter((l) => l.writeId === task.id).map((l) => l.store)
      : [];
  await retireWrite(deps, {
    imageId: task.imageId,
    writeId: task.id,
    places: [
      { place: 'staging', prefix },
      { place: 'staging', prefix: stagedPrefix(task.imageId, task.id) },
      { place: 'staging', prefix: planPrefix(task.id) },
      ...task.import.stores.filter((store) => !kept.includes(store)).map((place) => ({ place, prefix })),
    ],
  });
}
