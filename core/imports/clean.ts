import type { WithBytes } from '../../bytes/bytes-port.ts';
import type { WithTasks } from '../tasks/repository.ts';
import { stagingPrefixes } from './leftovers.ts';

/**
 * CleanStaging: whatever this import left in the staging bucket goes, source included; batch records too. Repeatable. A cancelled one
 * was swept when it was reverted, but for what is kept for a retry.
 * @throws BackendUnavailable
 */
export async function cleanStaging(deps: WithBytes & WithTasks, imageId: string, taskId: string): Promise<void> {
  const task = await deps.tasks.get(taskId);
  const prefixes = task?.cancelledAt === undefined ? stagingPrefixes(imageId, taskId, task) : [];
  for (const prefix of prefixes) await deps.bytes.removePrefix('staging', prefix);
  await deps.tasks.removeBatches(taskId);
}
