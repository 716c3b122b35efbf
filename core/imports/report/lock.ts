import { TaskAborted } from '../../errors.ts';
import type { WithImages } from '../../images/repository.ts';

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
