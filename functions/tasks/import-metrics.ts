import { telemetry } from '../../aws/telemetry.ts';
import type { WorkflowError } from '../../core/imports/cause.ts';
import type { ServiceDeps } from '../../service/deps.ts';

/** How long the import took and how much it made; an import that is driven again counts again. */
export async function measureSuccess(deps: Pick<ServiceDeps, 'tasks' | 'clock'>, taskId: string): Promise<void> {
  const { measure } = await telemetry();
  const facts = (await deps.tasks.get(taskId))?.facts;
  measure('ImportsSucceeded', 1);
  if (facts?.rendered !== undefined) measure('ImportedBytes', facts.rendered.size);
  if (facts?.startedAtMs !== undefined) measure('ImportSeconds', (deps.clock.now() - facts.startedAtMs) / 1000);
}

/** Once over all, and once by kind: the vocabulary of core/errors.ts and of Step Functions. */
export async function measureFailure(error: WorkflowError | undefined): Promise<void> {
  const { measure } = await telemetry();
  measure('ImportsFailed', 1);
  measure('ImportsFailed', 1, { kind: error?.Error ?? 'Unknown' });
}
