import type { StepEvent } from '../../bytes/imports/step.ts';
import { causeOf, type WorkflowError } from '../../core/imports/cause.ts';
import { revertImport } from '../../core/imports/revert.ts';
import { measureFailure } from './import-metrics.ts';
import { recordStep } from './step.ts';

/** Revert: this task's copies off the image, image `queued` and unlocked, task `failure` with the cause in words. */
export const handler = recordStep<StepEvent & { readonly error: WorkflowError }>(async (deps, { taskId, error }) => {
  await revertImport(deps, taskId, causeOf(error));
  await measureFailure(error);
});
