import { copyToStore } from '../../bytes/imports/copy-to-store.ts';
import type { StepEvent } from '../../bytes/imports/step.ts';
import { byteStep } from './step.ts';
import { assertFits } from './too-long.ts';

/** CopyToStore: one store gets the rendered image. */
export const handler = byteStep<StepEvent & { readonly store: string }>((deps, task, { store }, guard) =>
  copyToStore(deps, task, store, { guard, assertFits }),
);
