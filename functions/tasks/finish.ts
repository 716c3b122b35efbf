import { finishImport } from '../../core/tasks/settle.ts';
import { recordStep } from './step.ts';

/** Finish: image `active` and unlocked, task `success`. */
export const handler = recordStep((deps, { taskId }) => finishImport(deps, taskId));
