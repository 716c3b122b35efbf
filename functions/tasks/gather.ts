import { gatherRendered } from '../../bytes/render/gather.ts';
import { byteStep } from './step.ts';
import { assertFits } from './too-long.ts';

/** Gather: what the batches made becomes one image, or their failure is raised. */
export const handler = byteStep((deps, task, _event, guard) => gatherRendered(deps, task, { guard, assertFits }));
