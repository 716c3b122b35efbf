import { observed } from '../../aws/telemetry.ts';
import { type Guard, type StepEvent, serviceError, underLock } from '../../bytes/imports/step.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import { type ServiceDeps, serviceDeps } from '../../service/deps.ts';

/** A Lambda handler of one workflow step. What it throws is an `ImageServiceError`: `name` is the error name in the workflow. */
export interface StepHandler<E extends StepEvent> {
  (event: E): Promise<unknown>;
  /** The same with dependencies of the caller's. */
  readonly on: (deps: ServiceDeps, event: E) => Promise<unknown>;
}

/** A step on the records only: finds nothing, moves no bytes. */
export function recordStep<E extends StepEvent>(
  run: (deps: ServiceDeps, event: E) => Promise<unknown>,
): StepHandler<E> {
  const on = named<E>(async (deps, event) => (await run(deps, event)) ?? {});
  return Object.assign(
    observed(async (event: E) => on(await serviceDeps(), event)),
    { on },
  );
}

/**
 * A step that moves bytes, under the image's lock. Its trace is the one Lambda makes: following every call of so many would cost more
 * than it tells.
 */
export function byteStep<E extends StepEvent>(
  run: (deps: ServiceDeps, task: ImportTask, event: E, guard: Guard) => Promise<unknown>,
): StepHandler<E> {
  const on = named<E>(
    async (deps, event) => (await underLock(deps, event, (task, guard) => run(deps, task, event, guard))) ?? {},
  );
  return Object.assign(async (event: E) => on(await serviceDeps(), event), { on });
}

/** Throws under the workflow's names. */
function named<E extends StepEvent>(run: StepHandler<E>['on']): StepHandler<E>['on'] {
  return async (deps, event) => {
    try {
      return await run(deps, event);
    } catch (error) {
      throw serviceError(error);
    }
  };
}
