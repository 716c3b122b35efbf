import type { WithBytes } from '../../bytes/bytes-port.ts';
import type { WithClock } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import type { WithDuties } from '../duties/duty.ts';
import { Conflict, NotFound, StaleRevision } from '../errors.ts';
import { removeImage } from '../images/delete.ts';
import type { Image, Location } from '../images/image.ts';
import { locationId } from '../images/image.ts';
import type { ImageChange, WithImages } from '../images/repository.ts';
import { retireWrite } from '../images/retire-write.ts';
import { mayMove } from '../images/status.ts';
import type { WithLog } from '../log.ts';
import type { WithTasks } from '../tasks/repository.ts';
import type { WithSourceSecrets } from '../tasks/source-secrets.ts';
import { forgetSourceSecret } from './forget-source-secret.ts';
import { keptDuty, keptStage } from './kept.ts';
import { leftovers, stagedSource } from './leftovers.ts';
import { type ImportTask, importTask } from './report/import-task.ts';
import { taskDutyId } from './report/task-duty.ts';
import { expiry } from './settle.ts';

type RevertDeps = WithClock &
  WithConfig &
  WithTasks &
  WithSourceSecrets &
  WithImages &
  WithDuties &
  WithBytes &
  WithLog;

/**
 * The end of a failed import (import.md section 4): this task's copies are taken off the image and swept, the lists say which
 * stores failed, the image goes back to `queued`, the lock opens, the task names the cause. An image that is active by then, because it
 * was before or because its first copy made it so, stays active with the copies that it has. What a cancelled one had staged is kept for
 * a retry (kept.ts).
 * It may run twice, late, or beside a worker that is still writing: it touches only what this task owns.
 */
export async function revertImport(deps: RevertDeps, taskId: string, cause: string): Promise<void> {
  const found = await importTask(deps, taskId);
  if (found.status === 'success') return;
  const task = await withSource(deps, found);
  const image = await unwind(deps, task);
  await closeTask(deps, task, cause);
  await retireWrite(deps, leftovers(task, image));
  await forgetSourceSecret(deps, task);
  await deps.duties.remove(taskDutyId(taskId));
}

/** Staged bytes that no step has taken yet: the image is about to forget them, so the task has to know where they are. */
async function withSource(deps: RevertDeps, task: ImportTask): Promise<ImportTask> {
  const image = task.facts.source === undefined ? await deps.images.get(task.imageId) : undefined;
  if (image?.lock !== task.id || image.staged === null) return task;
  const source = stagedSource(image.id, image.staged);
  await deps.tasks.note(task.id, { source });
  return { ...task, facts: { ...task.facts, source } };
}

/** How often the image is looked at anew when it changed between look and write: copies may end at once in many stores. */
const LOOKS = 50;

const CHANGED = [Conflict, NotFound, StaleRevision] as const;

/** Takes the task's work off the image, if the task still holds it; answers the image as it is then. */
async function unwind(deps: RevertDeps, task: ImportTask): Promise<Image | undefined> {
  for (let look = 1; ; look++) {
    const image = await deps.images.get(task.imageId);
    if (image?.lock !== task.id) return image;
    if (task.cancelledAt !== undefined) await deps.duties.put(keptDuty(task, task.cancelledAt, keptStage(task, image)));
    try {
      if (isMadeByTask(task, image)) {
        await removeImage(deps, image, { lock: task.id, revision: image.revision });
        return undefined;
      }
      return await deps.images.change(task.imageId, undoing(task, image));
    } catch (error) {
      if (!CHANGED.some((kind) => error instanceof kind) || look === LOOKS) throw error;
    }
  }
}

/** A task of the legacy API makes its image, and takes it along when it fails (import.md section 9); not when somebody cancelled it. */
function isMadeByTask({ type, cancelledAt }: ImportTask, image: Image): boolean {
  return type === 'import' && cancelledAt === undefined && mayMove(image.status, 'queued');
}

function undoing(task: ImportTask, image: Image): ImageChange {
  const kept = !mayMove(image.status, 'queued');
  const own = kept ? [] : image.locations.filter((location) => isOwn(task, location)).map(locationId);
  return {
    // A copy that is recorded between look and write is to be taken off, too.
    expect: { lock: task.id, status: [image.status], revision: image.revision },
    set: {
      ...{ lock: null, progress: null, staged: keptStage(task, image) },
      ...(kept ? {} : { ...CLEARED, ...formatsBefore(task) }),
    },
    ...(kept || task.facts.replaced === undefined ? {} : { mergeProperties: task.facts.replaced.properties }),
    ...(own.length === 0 ? {} : { removeLocations: own }),
    ...(task.import.method.name === 'location'
      ? {}
      : { importingTo: { remove: task.import.stores }, failedImport: { add: failedStores(task, image, kept) } }),
  };
}

/** What the image was before another service's words were taken over. */
function formatsBefore({ facts: { replaced } }: ImportTask): NonNullable<ImageChange['set']> {
  return replaced === undefined ? {} : { diskFormat: replaced.diskFormat, containerFormat: replaced.containerFormat };
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
  signature: null,
} as const;

/**
 * Which stores are named as failed: those that broke, which are in the list already. A fault that was no store's (of the source, of a
 * conversion, a cancellation) blames none. Where the image keeps what copies it has, stores that lack one are named: whoever waits for it there learns
 * that it does not come.
 */
function failedStores(task: ImportTask, image: Image, kept: boolean): readonly string[] {
  const { method, stores } = task.import;
  const broke = stores.filter((store) => image.failedImport?.includes(store));
  const isCopy = method.name === 'copy-image';
  if (!kept || (isCopy ? broke.length > 0 : task.cancelledAt !== undefined)) return broke;
  return stores.filter((store) => !image.locations.some((location) => location.store === store));
}

/** Message of a task that somebody ended, whatever then happened to it. */
export const CANCELLED = 'The import was cancelled';

async function closeTask(deps: RevertDeps, task: ImportTask, cause: string): Promise<void> {
  try {
    await deps.tasks.move(task.id, ['pending', 'processing'], {
      status: 'failure',
      message: task.cancelledAt === undefined ? cause : CANCELLED,
      expiresAt: expiry(deps),
    });
  } catch (error) {
    if (!(error instanceof Conflict)) throw error; // failed already
  }
}
