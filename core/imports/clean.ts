import type { WithBytes } from '../../bytes/bytes-port.ts';
import type { WithTasks } from '../tasks/repository.ts';
import { stagingPrefixes } from './leftovers.ts';

/**
 * CleanStaging: whatever this import left in the staging bucket goes, source included; batch records too. Repeatable.
 * @throws BackendUnavailable
 */
export async function cleanStaging(deps: WithBytes & WithTasks, imageId: string, taskId: string): Promise<void> {
  const task = await deps.tasks.get(taskId);
  for (const prefix of stagingPrefixes(imageId, taskId, task)) await deps.bytes.removePrefix('staging', prefix);
  await deps.tasks.removeBatches(taskId);
}
