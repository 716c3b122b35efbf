import type { StepEvent } from '../../bytes/imports/step.ts';
import { causeOf, type WorkflowError } from '../../core/imports/cause.ts';
import { settleFailedStore } from '../../core/imports/store-failed.ts';
import { recordStep } from './step.ts';

interface StoreFailedEvent extends StepEvent {
  readonly store: string;
  readonly error: WorkflowError;
}

/** StoreFailed: one store could not be written. */
export const handler = recordStep<StoreFailedEvent>((deps, { taskId, store, error }) =>
  settleFailedStore(deps, taskId, store, { kind: error.Error, cause: causeOf(error) }),
);
