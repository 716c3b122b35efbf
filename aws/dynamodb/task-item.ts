import type { ImportFacts, Task, TaskStatus } from '../../core/tasks/task.ts';
import { ALL_TASKS, byCreated, imageTasksPartition, LIVE_TASKS, ownerTasksPartition, taskKey } from './keys.ts';

/** Statuses of tasks that have not ended: these are listed under LIVE_TASKS. */
export const LIVE: readonly TaskStatus[] = ['pending', 'processing'];

/** The whole item of a task. */
export function itemOf(task: Task): Record<string, unknown> {
  const created = byCreated(task.createdAt, task.id);
  return {
    ...taskKey(task.id),
    ...(task.imageId === null ? {} : { gsi1pk: imageTasksPartition(task.imageId), gsi1sk: created }),
    gsi2pk: ownerTasksPartition(task.owner),
    gsi2sk: created,
    ...(LIVE.includes(task.status) ? { gsi3pk: LIVE_TASKS, gsi3sk: created } : {}),
    gsi4pk: ALL_TASKS,
    gsi4sk: created,
    ...task,
  };
}

const TASK_FIELDS = [
  'id',
  'type',
  'status',
  'imageId',
  'owner',
  'userId',
  'requestId',
  'input',
  'result',
  'message',
  'import',
  'facts',
  'createdAt',
  'updatedAt',
  'cancelledAt',
  'expiresAt',
] as const satisfies readonly (keyof Task)[];

export function taskFrom(item: Record<string, unknown>): Task {
  const task: Record<string, unknown> = {};
  for (const field of TASK_FIELDS) if (item[field] !== undefined) task[field] = item[field];
  return { facts: {} as ImportFacts, ...task } as unknown as Task;
}
