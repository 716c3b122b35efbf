import type { StepEvent } from '../../bytes/imports/step.ts';
import type { ImageServiceError } from '../../core/errors.ts';
import type { ServiceDeps } from '../../service/deps.ts';

/**
 * The platform hands nothing on from a container but that it ended. So a step that ran as one leaves its outcome in a batch record of
 * its own, for Outcome to raise; being a record of the task it also counts as a sign of life.
 */
export interface ContainerStep extends StepEvent {
  /** Name of the step's function. */
  readonly step: string;
  readonly plugin?: string;
  readonly store?: string;
}

const phaseOf = ({ step, plugin, store }: ContainerStep): string =>
  ['container', step, plugin, store].filter((part) => part !== undefined).join(':');

/** Written when the container begins, without a failure, and when its step has failed for good. */
export async function recordContainer(
  deps: Pick<ServiceDeps, 'tasks' | 'clock'>,
  step: ContainerStep,
  startedAtMs: number,
  error?: ImageServiceError,
): Promise<void> {
  await deps.tasks.putBatch({
    taskId: step.taskId,
    phase: phaseOf(step),
    batch: 0,
    bytesDone: 0,
    bytesTotal: 0,
    startedAtMs,
    atMs: deps.clock.now(),
    ...(error === undefined ? {} : { error: { kind: error.kind, message: error.message } }),
  });
}

/** The failure that the container of a step recorded, if it did. */
export async function failureOfContainer(
  deps: Pick<ServiceDeps, 'tasks'>,
  step: ContainerStep,
): Promise<{ readonly kind: string; readonly message: string } | undefined> {
  return (await deps.tasks.batches(step.taskId)).find((batch) => batch.phase === phaseOf(step))?.error;
}
