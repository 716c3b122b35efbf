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
import { mayMove } from '../images/status.ts';
import type { WithLog } from '../log.ts';
import type { WithTasks } from '../tasks/repository.ts';
import type { WithSourceUrls } from '../tasks/source-urls.ts';
import { forgetSourceUrl } from './forget-source-url.ts';
import { type ImportTask, importTask } from './report/import-task.ts';
import { taskDutyId } from './report/task-duty.ts';
import { expiry } from './settle.ts';

type RevertDeps = WithClock & WithConfig & WithTasks & WithSourceUrls & WithImages & WithDuties & WithBytes & WithLog;

/**
 * The end of a failed import (import.md section 4): this task's copies are taken off the image and swept, the lists say which
 * stores failed, the image goes back to `queued`, the lock opens, the task names the cause. An image that is active by then, because it
 * was before or because its first copy made it so, stays active with the copies that it has.
 * It may run twice, late, or beside a worker that is still writing: it touches only what this task owns.
 */
export async function revertImport(deps: RevertDeps, taskId: string, cause: string): Promise<void> {
  const task = await importTask(deps, taskId);
  if (task.status === 'success') return;
  const image = await unwind(deps, task);
  await closeTask(deps, task, cause);
  await sweep(deps, task, image);
  await forgetSourceUrl(deps, task);
  await deps.duties.remove(taskDutyId(taskId));
}

/** How often the image is looked at anew when it changed between look and write: it turns active, or goes, once. */
const LOOKS = 5;

/** Takes the task's work off the image, if the task still holds it; answers the image as it is then. */
async function unwind(deps: RevertDeps, task: ImportTask): Promise<Image | undefined> {
  for (let look = 1; ; look++) {
    const image = await deps.images.get(task.imageId);
    if (image?.lock !== task.id) return image;
    // Before the record forgets it: the fetch, which names its source to all that clean up, may not have run.
    if (image.staged !== null) await sweepStaged(deps, image.id, image.staged.writeId);
    try {
      return await deps.images.change(task.imageId, undoing(task, image));
    } catch (error) {
      if (!(error instanceof Conflict || error instanceof NotFound) || look === LOOKS) throw error;
    }
  }
}

async function sweepStaged(deps: RevertDeps, imageId: string, writeId: string): Promise<void> {
  const places = [{ place: 'staging', prefix: stagedPrefix(imageId, writeId) }];
  await retireWrite(deps, { imageId, writeId, places });
}

function undoing(task: ImportTask, image: Image): ImageChange {
  const kept = !mayMove(image.status, 'queued');
  const own = kept ? [] : image.locations.filter((location) => isOwn(task, location)).map(locationId);
  return {
    expect: { lock: task.id, status: [image.status] },
    set: { lock: null, progress: null, staged: null, ...(kept ? {} : CLEARED) },
    ...(own.length === 0 ? {} : { removeLocations: own }),
    ...(task.import.method.name === 'location'
      ? {}
      : { importingTo: { remove: task.import.stores }, failedImport: { add: failedStores(task, image, kept) } }),
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
} as const;

/**
 * Which stores are named as failed. A store that broke is in the list already. When the fault was not a store's, none was
 * written: all requested ones failed. Methods that fetch or convert name all in either case, as Glance's reverts do. Where the image
 * keeps its copies, a store that holds one has not failed.
 */
function failedStores(task: ImportTask, image: Image, kept: boolean): readonly string[] {
  const { method, stores } = task.import;
  const broke = stores.filter((store) => image.failedImport?.includes(store));
  const isCopy = method.name === 'copy-image';
  const isPlain = isCopy || (method.name === 'glance-direct' && task.facts.targetFormat === undefined && !kept);
  if (isPlain && broke.length > 0) return broke;
  return kept || isCopy
    ? stores.filter((store) => !image.locations.some((location) => location.store === store))
    : stores;
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

/** Everything this task may have written, in every place; what the image refers to stays. */
async function sweep(deps: RevertDeps, task: ImportTask, image: Image | undefined): Promise<void> {
  const prefix = imagePrefix(task.imageId, task.id);
  const kept = (image?.locations ?? []).filter(({ writeId }) => writeId === task.id).map(({ store }) => store);
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
