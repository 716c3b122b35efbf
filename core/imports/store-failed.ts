import type { WithBytes } from '../../bytes/bytes-port.ts';
import { imagePrefix } from '../../bytes/keys.ts';
import type { WithClock } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import type { WithDuties } from '../duties/duty.ts';
import { StoreFailed } from '../errors.ts';
import { storesWrittenBy } from '../images/image.ts';
import type { WithImages } from '../images/repository.ts';
import type { WithLog } from '../log.ts';
import type { WithTasks } from '../tasks/repository.ts';
import { recordedFailure } from './recorded-failure.ts';
import { importTask } from './report/import-task.ts';
import { storeFailed } from './settle.ts';
import { recordStoreFailure, storeFailure } from './store-failures.ts';

type StoreFailedDeps = WithConfig & WithClock & WithImages & WithTasks & WithDuties & WithBytes & WithLog;

/** What a copy fails with when what is to be copied is at fault: no store is blamed for it, and no other would do better. */
const OF_THE_SOURCE = ['ImageRefused', 'FetchFailed'];

/** Why a copy ended: a kind of errors.ts, where it was one, and a sentence. */
export interface CopyFailure {
  readonly kind?: string | undefined;
  readonly cause: string;
}

/**
 * One store could not be written: it is named as failed, with the cause, and swept. When all stores must succeed that ends the import. A
 * store whose copy the image has already did not fail: only the word of it was lost.
 * @throws StoreFailed with the store's cause; what is wrong with the source
 */
export async function settleFailedStore(
  deps: StoreFailedDeps,
  taskId: string,
  store: string,
  { kind = '', cause }: CopyFailure,
): Promise<void> {
  const task = await importTask(deps, taskId);
  if (storesWrittenBy(await deps.images.get(task.imageId), taskId).includes(store)) return;
  if (OF_THE_SOURCE.includes(kind)) throw recordedFailure({ kind, message: cause });
  await recordStoreFailure(deps, taskId, store, cause);
  await storeFailed(deps, task, store);
  deps.log.warn('store failed', { task: taskId, image: task.imageId, store, cause });
  await removeQuietly(deps, store, task.imageId, taskId);
  if (task.import.allStoresMustSucceed) throw new StoreFailed(storeFailure(store, cause));
}

/** The store is broken: sweeping it may fail too, and then its tombstone gets it later. */
async function removeQuietly(deps: StoreFailedDeps, place: string, imageId: string, writeId: string): Promise<void> {
  const prefix = imagePrefix(imageId, writeId);
  try {
    await deps.bytes.removePrefix(place, prefix);
  } catch (error) {
    await deps.duties.put({
      id: `retired:${imageId}:${writeId}:${place}`,
      kind: 'retired',
      imageId,
      writeId,
      places: [{ place, prefix }],
      dueAtMs: deps.clock.now() + 60_000,
    });
    deps.log.warn('sweep postponed', { place, prefix, cause: String(error) });
  }
}
