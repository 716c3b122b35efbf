import type { WithClock } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import type { WithDuties } from '../duties/duty.ts';
import { Conflict, TaskAborted } from '../errors.ts';
import type { Image } from '../images/image.ts';
import type { WithImageList, WithImages } from '../images/repository.ts';
import type { WithLimits } from '../quota/limited-resources.ts';
import { enforceLimit } from '../quota/limits.ts';
import type { WithUsage } from '../quota/usage.ts';
import type { WithTasks } from '../tasks/repository.ts';
import { type ImportTask, importTask } from './report/import-task.ts';
import { assertLock } from './report/lock.ts';
import { taskDuty } from './report/task-duty.ts';

/** What the workflow works with from the first step on. */
export interface Begun {
  readonly taskId: string;
  readonly imageId: string;
  /** The task was over already: only cleaning is left. */
  readonly ended: boolean;
  /** The bytes are where they belong already: only hashing is left. */
  readonly hashOnly: boolean;
  readonly plugins: readonly string[];
  readonly stores: readonly string[];
  readonly allStoresMustSucceed: boolean;
}

type BeginDeps = WithClock & WithConfig & WithTasks & WithImages & WithImageList & WithUsage & WithLimits & WithDuties;

/**
 * Flow start (contract: import.md section 4): the task turns `processing`, the image `importing` (not for copy-image), and the
 * requested stores enter the importing list and leave the failed list. Repeating it changes nothing.
 * @throws TaskAborted when the image does not name this task, or it was cancelled; LimitExceeded when its project is over a unified limit
 */
export async function beginImport(deps: BeginDeps, taskId: string): Promise<Begun> {
  const task = await importTask(deps, taskId);
  const begun = {
    taskId,
    imageId: task.imageId,
    ended: task.status === 'success' || task.status === 'failure',
    hashOnly: task.import.method.name === 'location',
    plugins: task.import.method.name === 'copy-image' ? [] : deps.config.image_import_plugins,
    stores: task.import.stores,
    allStoresMustSucceed: task.import.allStoresMustSucceed,
  };
  if (begun.ended) return begun;
  if (task.cancelledAt !== undefined) throw new TaskAborted(`Task ${taskId} was cancelled`);
  await assertLock(deps, task.imageId, taskId);
  await deps.tasks.move(taskId, ['pending', 'processing'], { status: 'processing' });
  if (task.facts.startedAtMs === undefined)
    await deps.tasks.note(taskId, { startedAtMs: deps.clock.now(), rates: await deps.tasks.rates() });
  await deps.duties.put(taskDuty(task, deps.clock.now()));
  if (!begun.hashOnly) await enterFlow(deps, task);
  return begun;
}

/** What the image then takes is reserved with it: the work, and a place for each copy of bytes whose length is known. */
async function enterFlow(deps: BeginDeps, task: ImportTask): Promise<Image> {
  const copying = task.import.method.name === 'copy-image';
  // How much is staged is not known yet: a project that is over its limit stages nothing more.
  if (deps.config.use_keystone_limits) await enforceLimit(deps, 'stagedBytes', await ownerOf(deps, task));
  try {
    return await deps.images.change(task.imageId, {
      expect: { lock: task.id, status: copying ? ['active'] : ['queued', 'uploading', 'importing'] },
      set: copying ? { progress: null } : { status: 'importing', progress: null },
      // A re-driven execution lists stores again that hold the image already: the copy step takes them off in any case.
      importingTo: { add: task.import.stores },
      failedImport: { remove: task.import.stores },
    });
  } catch (error) {
    // With all_stores_must_succeed=false the first copy activates the image: a re-driven execution finds it so and goes on.
    const image = await deps.images.get(task.imageId);
    if (error instanceof Conflict && image?.lock === task.id && image.status === 'active') return image;
    if (error instanceof Conflict) throw new TaskAborted(error.message, { cause: error });
    throw error;
  }
}

async function ownerOf(deps: WithImages, task: ImportTask): Promise<string | null> {
  return (await deps.images.get(task.imageId))?.owner ?? null;
}
