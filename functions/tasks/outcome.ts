import { recordedFailure } from '../../core/imports/recorded-failure.ts';
import { type ContainerStep, failureOfContainer } from './container-record.ts';
import { recordStep } from './step.ts';

/** Outcome: raises what a step that ran as a container recorded as its failure, as its function would have thrown it. */
export const handler = recordStep<ContainerStep>(async (deps, event) => {
  const failure = await failureOfContainer(deps, event);
  if (failure !== undefined) throw recordedFailure(failure);
});
