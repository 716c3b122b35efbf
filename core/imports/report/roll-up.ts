import type { WithClock } from '../../clock.ts';
import type { WithDuties } from '../../duties/duty.ts';
import type { WithImages } from '../../images/repository.ts';
import { progressOf } from '../../tasks/progress.ts';
import type { WithTasks } from '../../tasks/repository.ts';
import { TASK_DUTY_MS, taskDuty } from './task-duty.ts';

/** Batch records are written at most this often; the image's roll-up and the task's duty follow the same beat. */
export const BEAT_MS = 1_000;

export type RollUpDeps = WithClock & WithTasks & WithImages & WithDuties;

/**
 * One beat: postpones the task's duty and sums the batches up onto the image. Hundreds of workers report on one task, and a roll-up reads
 * the records of all: it is done by the one that finds the duty not postponed lately, and by nobody else.
 */
export async function rollUp(deps: RollUpDeps, taskId: string, imageId: string): Promise<void> {
  const now = deps.clock.now();
  const duty = taskDuty({ id: taskId, imageId }, now);
  if (!(await deps.duties.postpone(duty, now + TASK_DUTY_MS - BEAT_MS / 2))) return;
  const task = await deps.tasks.get(taskId);
  if (task?.facts.work === undefined) return;
  const batches = await deps.tasks.batches(taskId);
  const image = await deps.images.get(imageId);
  if (image === undefined || image.lock !== taskId) return;
  const isTold = image.progress?.etaSeconds !== undefined;
  const { phase, percent, etaSeconds } = progressOf(task.facts, batches, now, isTold);
  const progress = {
    phase,
    percent: Math.max(percent, image.progress?.percent ?? 0),
    ...(etaSeconds === undefined ? {} : { etaSeconds }),
  };
  await deps.images.noteProgress(imageId, taskId, progress);
}
