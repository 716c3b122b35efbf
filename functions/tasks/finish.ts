import { finishImport } from '../../core/imports/settle.ts';
import { measureSuccess } from './import-metrics.ts';
import { recordStep } from './step.ts';

/** Finish: image `active` and unlocked, task `success`. */
export const handler = recordStep(async (deps, { taskId }) => {
  await finishImport(deps, taskId);
  await measureSuccess(deps, taskId);
});
