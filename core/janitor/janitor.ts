import type { Duty } from '../duties/duty.ts';
import type { WithWorkflows } from '../executions/workflow.ts';
import { finishDelete } from '../images/delete.ts';
import { sweepLeftOver, watchLeftOver } from '../images/left-over.ts';
import { sweepRetired } from '../images/retire-write.ts';
import { abandonUpload } from '../images/upload.ts';
import { endCancelled } from '../imports/cancel.ts';
import { forgetSourceSecret } from '../imports/forget-source-secret.ts';
import { settleKept } from '../imports/kept.ts';
import { TASK_DUTY_MS } from '../imports/report/task-duty.ts';
import { revertImport } from '../imports/revert.ts';
import { retakeDrop, type TakeDropDeps } from '../imports/take-drop.ts';
import type { WithMembers } from '../members/repository.ts';
import type { WithMetadefs } from '../metadefs/repository.ts';
import { sweepGenerations } from '../metadefs/sweep.ts';
import { recountAll } from '../quota/counter.ts';
import type { Task } from '../tasks/task.ts';
import { settleSession } from '../uploads/end.ts';
import type { WithUploadSessions } from '../uploads/repository.ts';
import { isDead, silenceOf } from './silence.ts';

/**
 * The janitor: one scheduled function over one kind of record (design section 6). Whatever a crash can leave half-done has a
 * duty that was written first; here each due duty is looked at, once or until it is settled. Everything may run twice.
 */
export interface JanitorReport {
  readonly looked: number;
  readonly failed: number;
}

/** What settling a task's duty takes. */
type TaskDutyDeps = Parameters<typeof revertImport>[0] & WithWorkflows;

/** What settling the duties of every kind takes. */
export type JanitorDeps = TaskDutyDeps & TakeDropDeps & WithMembers & WithMetadefs & WithUploadSessions;

const PAGE = 50;
/** A run ends before the next one is due. */
const MAX_PAGES = 20;

/**
 * @param horizonMs how far ahead a duty counts as due: 0 on schedule. At the start of a single machine nothing of before can
 *   still be working, so what would be due within the next minute is settled at once.
 */
export async function janitor(deps: JanitorDeps, horizonMs = 0): Promise<JanitorReport> {
  await watchLeftOver(deps);
  let looked = 0;
  let failed = 0;
  for (let page = 0; page < MAX_PAGES; page++) {
    const duties = await deps.duties.due(deps.clock.now() + horizonMs, PAGE);
    for (const duty of duties) failed += (await settle(deps, duty)) ? 0 : 1;
    looked += duties.length;
    if (duties.length < PAGE || failed === duties.length) break;
  }
  await recountAll(deps);
  return { looked, failed };
}

/** False when the duty could not be settled; it stays due and is looked at again by the next run. */
async function settle(deps: JanitorDeps, duty: Duty): Promise<boolean> {
  try {
    await HANDLERS[duty.kind](deps, duty);
    return true;
  } catch (error) {
    deps.log.error('janitor: a duty could not be settled', {
      duty: duty.id,
      cause: error instanceof Error ? error.message : String(error),
    });
    return false;
  }
}

const HANDLERS: Readonly<Record<Duty['kind'], (deps: JanitorDeps, duty: Duty) => Promise<void>>> = {
  task: settleTask,
  upload: (deps, duty) => abandonUpload(deps, duty),
  session: (deps, duty) => settleSession(deps, duty),
  retired: (deps, duty) => sweepRetired(deps, duty),
  deleted: (deps, duty) => finishDelete(deps, duty),
  metadef: (deps, duty) => sweepGenerations(deps, duty),
  drop: (deps, duty) => retakeDrop(deps, duty),
  kept: (deps, duty) => settleKept(deps, duty),
  queued: (deps, duty) => sweepLeftOver(deps, duty),
};

/** A task that nobody reported on for a while: start it, wait on, or end it with its cause. */
async function settleTask(deps: TaskDutyDeps, duty: Duty): Promise<void> {
  const taskId = duty.writeId ?? '';
  const task = await deps.tasks.get(taskId);
  if (task === undefined || task.status === 'success' || task.status === 'failure')
    return closeEnded(deps, duty, taskId, task);
  if (task.cancelledAt !== undefined) return endCancelled(deps, taskId);
  const status = await deps.workflows.statusOf(taskId);
  if (status === undefined) return start(deps, duty, taskId);
  if (status === 'RUNNING') return watch(deps, duty, taskId, Date.parse(task.updatedAt));
  await revertImport(deps, taskId, `The import workflow ended (${status})`);
}

/** The task ended, but a crash may have come between its end and the opening of the lock; or its request died before there was a task. */
async function closeEnded(deps: TaskDutyDeps, duty: Duty, taskId: string, task: Task | undefined): Promise<void> {
  const image = await deps.images.get(duty.imageId);
  if (image?.lock === taskId)
    await deps.images.change(duty.imageId, { expect: { lock: taskId }, set: { lock: null, progress: null } });
  if (task === undefined) await deps.sourceSecrets.forget(taskId);
  else await forgetSourceSecret(deps, task);
  await deps.duties.remove(duty.id);
}

async function start(deps: TaskDutyDeps, duty: Duty, taskId: string): Promise<void> {
  const image = await deps.images.get(duty.imageId);
  if (image?.lock !== taskId)
    return revertImport(deps, taskId, 'The import was never started: the image was taken by another operation');
  await deps.workflows.startImport({ id: taskId, imageId: duty.imageId });
  await deps.duties.put({ ...duty, dueAtMs: deps.clock.now() + TASK_DUTY_MS });
}

async function watch(deps: TaskDutyDeps, duty: Duty, taskId: string, updatedAtMs: number): Promise<void> {
  const silentMs = silenceOf(updatedAtMs, await deps.tasks.batches(taskId), deps.clock.now());
  if (silentMs === undefined || !isDead(await deps.workflows.busySince(taskId), deps.clock.now()))
    return deps.duties.put({ ...duty, dueAtMs: deps.clock.now() + TASK_DUTY_MS });
  const cause = `The import made no progress for ${Math.round(silentMs / 1000)} s and was ended`;
  await deps.workflows.stop(taskId, cause);
  await revertImport(deps, taskId, cause);
}
