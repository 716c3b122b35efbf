import type { WithClock } from '../../clock.ts';
import type { WithDuties } from '../../duties/duty.ts';
import { Conflict, NotFound } from '../../errors.ts';
import type { WithImages } from '../../images/repository.ts';
import { progressOf } from '../../tasks/progress.ts';
import type { WithTasks } from '../../tasks/repository.ts';
import type { WithPulse } from './pulse.ts';
import { taskDuty } from './task-duty.ts';

export type RollUpDeps = WithClock & WithTasks & WithImages & WithDuties & WithPulse;

/** One beat: postpones the task's duty and sums the batches up onto the image. */
export async function rollUp(deps: RollUpDeps, taskId: string, imageId: string): Promise<void> {
  const now = deps.clock.now();
  if (!deps.pulse.isDue(taskId, now)) return;
  await deps.duties.put(taskDuty({ id: taskId, imageId }, now));
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
