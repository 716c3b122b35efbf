import type { WithClock } from '../clock.ts';
import type { WithDuties } from '../duties/duty.ts';
import { Conflict, ImageServiceError, NotFound, TaskAborted } from '../errors.ts';
import type { WithImages } from '../images/repository.ts';
import { stretchMs } from '../tasks/eta.ts';
import { progressOf } from '../tasks/progress.ts';
import type { WithTasks } from '../tasks/repository.ts';
import type { BatchProgress, Task } from '../tasks/task.ts';

/** Batch records are written at most this often; the image's roll-up and the task's duty follow the same beat. */
const BEAT_MS = 1_000;
/** A task is looked at when nobody has reported for this long (the janitor then decides by heartbeat and execution). */
export const TASK_DUTY_MS = 60_000;

/** What a step reports to while it moves bytes. */
export interface Reporter {
  /** Counts bytes done; writes at most every second. */
  add(bytes: number): Promise<void>;
  /** As `add` of a share of all bytes, 0 to 1. */
  addShare(share: number): Promise<void>;
  /** Writes the final state of this batch; with an error when it failed in its own domain. */
  end(error?: ImageServiceError): Promise<void>;
}

type ReportDeps = WithClock & WithTasks & WithImages & WithDuties;

/** One batch of one phase; each batch owns its record, so nobody overwrites anybody. */
export function reporter(
  deps: ReportDeps,
  task: Task & { readonly imageId: string },
  phase: string,
  batch: number,
  bytesTotal: number,
): Reporter {
  const startedAtMs = deps.clock.now();
  let bytesDone = 0;
  let writtenAtMs = 0;
  const recent = trail(startedAtMs);
  const write = async (error?: ImageServiceError): Promise<void> => {
    const atMs = deps.clock.now();
    writtenAtMs = atMs;
    const earlier = recent(bytesDone, atMs);
    const failure = error === undefined ? {} : { error: { kind: error.kind, message: error.message } };
    const record = { taskId: task.id, phase, batch, bytesDone, bytesTotal, startedAtMs, atMs, earlier, ...failure };
    await deps.tasks.putBatch(record);
    await beat(deps, task.id, task.imageId);
  };
  const add = async (bytes: number): Promise<void> => {
    bytesDone += bytes;
    if (deps.clock.now() - writtenAtMs >= BEAT_MS) await write();
  };
  return {
    add,
    addShare: (share) => add(Math.round(share * bytesTotal)),
    async end(error) {
      if (error === undefined) bytesDone = bytesTotal;
      await write(error);
    },
  };
}

/** Remembers what was done when, as far back as a rate is taken from; each call adds a moment and answers the oldest one. */
function trail(startedAtMs: number): (bytesDone: number, atMs: number) => NonNullable<BatchProgress['earlier']> {
  let oldest = { bytesDone: 0, atMs: startedAtMs };
  const later: (typeof oldest)[] = [];
  return (bytesDone, atMs) => {
    later.push({ bytesDone, atMs });
    const from = atMs - stretchMs(atMs - startedAtMs);
    for (let next = later[0]; next !== undefined && next.atMs <= from; next = later[0]) {
      oldest = next;
      later.shift();
    }
    return oldest;
  };
}

/**
 * Postpones the task's duty and rolls the batches up onto the image. Hundreds of workers report on one task, and a roll-up reads the records
 * of all: it is done by the one that finds the duty not postponed lately, and by nobody else.
 */
async function beat(deps: ReportDeps, taskId: string, imageId: string): Promise<void> {
  const now = deps.clock.now();
  const dueAtMs = now + TASK_DUTY_MS;
  const duty = { id: `task:${taskId}`, kind: 'task', imageId, writeId: taskId, dueAtMs } as const;
  if (!(await deps.duties.postpone(duty, dueAtMs - BEAT_MS / 2))) return;
  const task = await deps.tasks.get(taskId);
  if (task?.facts.work === undefined) return;
  const { phase, percent, etaSeconds } = progressOf(task.facts, await deps.tasks.batches(taskId), now);
  const image = await deps.images.get(imageId);
  if (image === undefined || image.lock !== taskId) return;
  const progress = {
    phase,
    percent: Math.max(percent, image.progress?.percent ?? 0),
    ...(etaSeconds === undefined ? {} : { etaSeconds }),
  };
  try {
    await deps.images.change(imageId, { expect: { lock: taskId }, set: { progress }, quiet: true });
  } catch (error) {
    if (!(error instanceof Conflict || error instanceof NotFound)) throw error;
  }
}

/**
 * The image still names this task. Workers ask before each write and once at their end.
 * @throws TaskAborted when it does not: deleted, reverted or preempted; the worker then touches nothing more.
 */
export async function assertLock(deps: WithImages, imageId: string, taskId: string): Promise<void> {
  const image = await deps.images.get(imageId);
  if (image === undefined) throw new TaskAborted(`Image ${imageId} was deleted while task ${taskId} worked on it`);
  if (image.lock !== taskId)
    throw new TaskAborted(`Image ${imageId} is held by ${image.lock ?? 'nobody'}, not by task ${taskId}`);
}

/** A task that a workflow runs on an image. @throws TaskAborted when there is no such task any more. */
export async function importTask(deps: WithTasks, taskId: string): Promise<ImportTask> {
  const task = await deps.tasks.get(taskId);
  if (task === undefined) throw new TaskAborted(`Task ${taskId} does not exist`);
  if (task.imageId === null || task.import === undefined)
    throw new TaskAborted(`Task ${taskId} is no import of an image`);
  return task as ImportTask;
}

export type ImportTask = Task & { readonly imageId: string; readonly import: NonNullable<Task['import']> };

/** Errors of ours keep their kind; anything else is told apart by the caller. */
export function asServiceError(
  error: unknown,
  otherwise: (message: string, options: ErrorOptions) => ImageServiceError,
): ImageServiceError {
  if (error instanceof ImageServiceError) return error;
  return otherwise(error instanceof Error ? error.message : String(error), { cause: error });
}
