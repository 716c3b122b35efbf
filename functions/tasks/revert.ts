import { revertImport } from '../../core/imports/revert.ts';
import { causeOf, type WorkflowError } from './cause.ts';
import { measureFailure } from './import-metrics.ts';
import { recordStep, type StepEvent } from './step.ts';

/** Revert: this task's copies off the image, image `queued` and unlocked, task `failure` with the cause in words. */
export const handler = recordStep<StepEvent & { readonly error: WorkflowError }>(async (deps, { taskId, error }) => {
  await revertImport(deps, taskId, causeOf(error));
  await measureFailure(error);
});
