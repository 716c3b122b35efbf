import { beginImport } from '../../core/imports/begin.ts';
import { recordStep } from './step.ts';

/** Begin: task `processing`, image `importing`, lists; answers what the workflow works with. */
export const handler = recordStep((deps, { taskId }) => beginImport(deps, taskId));
