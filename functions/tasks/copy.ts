import { copyToStore } from '../../bytes/imports/copy-to-store.ts';
import type { StepEvent } from '../../bytes/imports/step.ts';
import { byteStep } from './step.ts';

/** CopyToStore: one store gets the rendered image. */
export const handler = byteStep<StepEvent & { readonly store: string }>((deps, task, { store }, tools) =>
  copyToStore(deps, task, store, tools),
);
