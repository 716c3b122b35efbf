import { imagePrefix, planPrefix, stagedPrefix } from '../../bytes/keys.ts';
import type { Task } from '../../core/tasks/task.ts';
import { recordStep } from './step.ts';

/** CleanStaging: whatever this import left in the staging bucket, source included; batch records too. Repeatable. */
export const handler = recordStep(async (deps, { taskId, imageId }) => {
  const task = await deps.tasks.get(taskId);
  for (const prefix of stagingPrefixes(imageId, taskId, task)) await deps.bytes.removePrefix('staging', prefix);
  await deps.tasks.removeBatches(taskId);
});

function stagingPrefixes(imageId: string, taskId: string, task: Task | undefined): string[] {
  const source = task?.facts.source;
  const fromStaging = source?.place === 'staging' ? [source.prefix] : [];
  return [
    ...new Set([...fromStaging, imagePrefix(imageId, taskId), stagedPrefix(imageId, taskId), planPrefix(taskId)]),
  ];
}
