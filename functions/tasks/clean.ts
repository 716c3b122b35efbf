import { cleanStaging } from '../../core/imports/clean.ts';
import { recordStep } from './step.ts';

/** CleanStaging: whatever this import left in the staging bucket. */
export const handler = recordStep((deps, { taskId, imageId }) => cleanStaging(deps, imageId, taskId));
