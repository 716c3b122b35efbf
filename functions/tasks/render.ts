import type { StepEvent } from '../../bytes/imports/step.ts';
import { renderBatch } from '../../bytes/render/render.ts';
import { byteStep } from './step.ts';

/** Render: the slices of one batch. */
export const handler = byteStep<StepEvent & { readonly batch: number }>((deps, task, { batch }, { guard }) =>
  renderBatch(deps, task, batch, guard),
);
