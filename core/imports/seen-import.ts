import { NotFound } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { type Seen, seenImage } from '../images/access.ts';
import type { WithImages } from '../images/repository.ts';
import type { WithMembers } from '../members/repository.ts';
import type { WithPolicy } from '../policy/port.ts';
import type { WithTasks } from '../tasks/repository.ts';
import type { ImportTask } from './report/import-task.ts';

export type SeenDeps = WithTasks & WithImages & WithMembers & WithPolicy;

/** An import and its image, when the caller sees that. @throws NotFound for everything else alike */
export async function seenImport(
  deps: SeenDeps,
  caller: Caller,
  taskId: string,
): Promise<{ readonly task: ImportTask; readonly seen: Seen }> {
  const task = await deps.tasks.get(taskId);
  try {
    if (task?.import !== undefined && task.imageId !== null)
      return { task: task as ImportTask, seen: await seenImage(deps, caller, task.imageId) };
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
  }
  throw noSuchImport(taskId);
}

export const noSuchImport = (taskId: string): NotFound => new NotFound(`No import found with ID ${taskId}`);
