import type { Duty } from '../../duties/duty.ts';
import type { Task } from '../../tasks/task.ts';

/** A task is looked at when nobody has reported for this long (the janitor then decides by heartbeat and execution). */
export const TASK_DUTY_MS = 60_000;

export const taskDutyId = (taskId: string): string => `task:${taskId}`;

/** The janitor's look at a task, a minute from now. */
export function taskDuty({ id, imageId }: Pick<Task, 'id'> & { readonly imageId: string }, nowMs: number): Duty {
  return { id: taskDutyId(id), kind: 'task', imageId, writeId: id, dueAtMs: nowMs + TASK_DUTY_MS };
}
