import { TaskAborted } from '../../errors.ts';
import type { WithTasks } from '../../tasks/repository.ts';
import type { Task } from '../../tasks/task.ts';

/** A task that a workflow runs on an image. */
export type ImportTask = Task & { readonly imageId: string; readonly import: NonNullable<Task['import']> };

/** Loads one. @throws TaskAborted when there is no such task any more. */
export async function importTask(deps: WithTasks, taskId: string): Promise<ImportTask> {
  const task = await deps.tasks.get(taskId);
  if (task === undefined) throw new TaskAborted(`Task ${taskId} does not exist`);
  if (task.imageId === null || task.import === undefined)
    throw new TaskAborted(`Task ${taskId} is no import of an image`);
  return task as ImportTask;
}
