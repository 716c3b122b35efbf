import { planRendering } from '../../bytes/render/plan.ts';
import { byteStep } from './step.ts';

/** Plan: what has to be rendered, cut into numbered batches. */
export const handler = byteStep((deps, task) => planRendering(deps, task));
