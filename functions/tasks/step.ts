import { observed } from '../../aws/telemetry.ts';
import { imagePrefix } from '../../bytes/keys.ts';
import { BackendUnavailable, ImageRefused, ImageServiceError, TaskAborted } from '../../core/errors.ts';
import { assertLock, type ImportTask, importTask } from '../../core/imports/report.ts';
import { FormatError } from '../../formats/engine/errors.ts';
import { type ServiceDeps, serviceDeps } from '../../service/deps.ts';

/** What every step of workflows/import-image.ts is called with. */
export interface StepEvent {
  readonly taskId: string;
  readonly imageId: string;
}

/** A Lambda handler of one workflow step. What it throws is an `ImageServiceError`: `name` is the error name in the workflow. */
export type StepHandler<E extends StepEvent> = (event: E) => Promise<unknown>;

/** A step on the records only: finds nothing, moves no bytes. */
export function recordStep<E extends StepEvent>(
  run: (deps: ServiceDeps, event: E) => Promise<unknown>,
): StepHandler<E> {
  return observed(async (event) => (await run(await serviceDeps(), event)) ?? {});
}

/**
 * A step that moves bytes. Its trace is the one Lambda makes: following every call of so many would cost more than it tells. It asks for the lock before it begins and once after its last write: a worker that was overtaken by
 * a delete or an abort removes what it wrote after the sweep, and only that (its prefix names image and task).
 */
export function byteStep<E extends StepEvent>(
  run: (deps: ServiceDeps, task: ImportTask, event: E, guard: () => Promise<void>) => Promise<unknown>,
): StepHandler<E> {
  return async (event) => {
    const deps = await serviceDeps();
    const guard = (): Promise<void> => assertLock(deps, event.imageId, event.taskId);
    try {
      await guard();
      const task = await importTask(deps, event.taskId);
      const result = await run(deps, task, event, guard);
      await guard();
      return result ?? {};
    } catch (error) {
      const known = serviceError(error);
      if (known instanceof TaskAborted) await removeOwnWrites(deps, event);
      throw known;
    }
  };
}

/** Turns what the engine and the platform throw into the service's vocabulary. */
export function serviceError(error: unknown): ImageServiceError {
  if (error instanceof ImageServiceError) return error;
  if (error instanceof FormatError)
    return new ImageRefused(`Image content cannot be used: ${error.message}`, { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new BackendUnavailable(message, { cause: error });
}

async function removeOwnWrites(deps: ServiceDeps, { imageId, taskId }: StepEvent): Promise<void> {
  const task = await deps.tasks.get(taskId);
  const image = await deps.images.get(imageId);
  const recorded = new Set((image?.locations ?? []).filter((l) => l.writeId === taskId).map((l) => l.store));
  const places = ['staging', ...(task?.import?.stores ?? [])].filter((place) => !recorded.has(place));
  for (const place of places) await deps.bytes.removePrefix(place, imagePrefix(imageId, taskId));
}
