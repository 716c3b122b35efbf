import type { WithClock } from '../clock.ts';
import { Conflict } from '../errors.ts';
import type { WithWorkflows } from '../executions/workflow.ts';
import type { Caller } from '../identity/caller.ts';
import { enforce } from '../images/access.ts';
import type { Image } from '../images/image.ts';
import type { WithTasks } from '../tasks/repository.ts';
import { type WatchedImport, watchedImport } from './queries.ts';
import { type ImportTask, importTask } from './report/import-task.ts';
import { CANCELLED, revertImport } from './revert.ts';
import { type SeenDeps, seenImport } from './seen-import.ts';

type EndDeps = Parameters<typeof revertImport>[0] & WithWorkflows;
type CancelDeps = EndDeps & SeenDeps;

/**
 * Ends an import that somebody does not want any more: its image is `queued` again (or stays active, with the copies it has), what was
 * staged is kept for a retry for an hour (kept.ts). That it is cancelled stands on the task first: whatever dies after that, whoever
 * ends the task ends it so. Asked again, it changes nothing.
 * @returns the task as it ended, with how far it was
 * @throws NotFound, Forbidden; Conflict when it has ended otherwise
 */
export async function cancelImport(deps: CancelDeps, caller: Caller, taskId: string): Promise<WatchedImport> {
  const { task, seen } = await seenImport(deps, caller, taskId);
  await enforce(deps, 'glimpse:cancel_import', seen, caller);
  const { progress } = await watchedImport(deps, task);
  await mark(deps, task, seen.image);
  await endCancelled(deps, taskId);
  return { task: await importTask(deps, taskId), ...(progress === undefined ? {} : { progress }) };
}

/** One conditional write decides between a cancellation and any other end. @throws Conflict */
async function mark(deps: WithTasks & WithClock, task: ImportTask, image: Image): Promise<void> {
  if (task.cancelledAt !== undefined) return;
  assertLive(task);
  const { method, allStoresMustSucceed } = task.import;
  const isEnding = image.status === 'active' && allStoresMustSucceed && !ON_ACTIVE.includes(method.name);
  if (image.lock !== task.id || isEnding)
    throw new Conflict(`Import ${task.id} is just beginning or ending: ask again`);
  const cancelledAt = new Date(deps.clock.now()).toISOString();
  try {
    await deps.tasks.move(task.id, ['pending', 'processing'], { status: 'processing', cancelledAt });
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    const now = await importTask(deps, task.id);
    if (now.cancelledAt === undefined) assertLive(now);
  }
}

/** Methods whose image may be active while they work; others make it so at their end, or with their first copy. */
const ON_ACTIVE: readonly string[] = ['copy-image', 'location'];

function assertLive({ id, status }: ImportTask): void {
  if (status === 'success' || status === 'failure') throw new Conflict(`Import ${id} has ended already: ${status}`);
}

/** The rest of a cancellation, for the janitor as well where who asked for it died. Repeatable. @throws as `revertImport` */
export async function endCancelled(deps: EndDeps, taskId: string): Promise<void> {
  try {
    await deps.workflows.stop(taskId, CANCELLED);
  } catch (error) {
    // It ends by itself at its next look at the image.
    deps.log.warn('cancelled, workflow not stopped', { task: taskId, cause: String(error) });
  }
  await revertImport(deps, taskId, CANCELLED);
}
