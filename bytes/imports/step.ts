/**
 * What every step of an import that moves bytes has in common: it works under the image's lock and in the service's words for what
 * goes wrong. A step runs twice or late without harm; a file of this folder and of render/ is one step's decision.
 */
import type { WithClock } from '../../core/clock.ts';
import {
  BackendUnavailable,
  Conflict,
  ImageRefused,
  ImageServiceError,
  NotFound,
  TaskAborted,
} from '../../core/errors.ts';
import { storesWrittenBy } from '../../core/images/image.ts';
import type { WithImages } from '../../core/images/repository.ts';
import { type ImportTask, importTask } from '../../core/imports/report/import-task.ts';
import { assertLock } from '../../core/imports/report/lock.ts';
import { BEAT_MS } from '../../core/imports/report/roll-up.ts';
import type { WithTasks } from '../../core/tasks/repository.ts';
import { FormatError } from '../../formats/engine/errors.ts';
import type { WithBytes } from '../bytes-port.ts';
import { imagePrefix } from '../keys.ts';

/** What every step of workflows/import-image.ts is called with. */
export interface StepEvent {
  readonly taskId: string;
  readonly imageId: string;
}

/** Asked before each write; an answer holds for a second. @throws TaskAborted when the image is no longer the task's */
export type Guard = () => Promise<void>;

/** Work that may take longer than a function has. */
export type LongWork = 'fetch' | 'decompress' | 'signature' | 'hash' | 'verify' | 'copy' | 'assemble';

/** What a step asks while it works. */
export interface StepTools {
  readonly guard: Guard;
  /** Asked once the step knows its bytes, and before it moves them. @throws StepTooLong when a function's time does not suffice */
  assertFits(work: LongWork, bytes: number): void;
}

type StepDeps = WithClock & WithImages & WithTasks & WithBytes;

/**
 * Runs a step that moves bytes: it asks for the lock before it begins, every second while it writes, and once after its last write. A worker that was overtaken by a
 * delete or an abort removes what it wrote after the sweep, and only that (its prefix names image and task).
 * @throws ImageServiceError, whatever the step throws
 */
export async function underLock<R>(
  deps: StepDeps,
  event: StepEvent,
  run: (task: ImportTask, guard: Guard) => Promise<R>,
): Promise<R> {
  const ask: Guard = () => assertLock(deps, event.imageId, event.taskId);
  try {
    await ask();
    const result = await run(await importTask(deps, event.taskId), oncePerBeat(deps, ask));
    await ask();
    return result;
  } catch (error) {
    const known = await abortedBy(ask, serviceError(error));
    if (known instanceof TaskAborted) await removeOwnWrites(deps, event);
    throw known;
  }
}

/** A record that is not as the step expects may be so because the lock is lost: then that is what happened. */
async function abortedBy(ask: Guard, failure: ImageServiceError): Promise<ImageServiceError> {
  if (!(failure instanceof Conflict || failure instanceof NotFound)) return failure;
  try {
    await ask();
    return failure;
  } catch (error) {
    return serviceError(error);
  }
}

/**
 * Hundreds of workers ask for one lock before each write, and each answer costs what reading the whole image costs: an answer holds for
 * a second. What is written in that second after the lock is lost goes with the worker's other writes, when it asks at its end.
 */
function oncePerBeat({ clock }: WithClock, ask: Guard): Guard {
  let answeredAtMs = clock.now();
  return async () => {
    const nowMs = clock.now();
    if (nowMs - answeredAtMs < BEAT_MS) return;
    await ask();
    answeredAtMs = nowMs;
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

async function removeOwnWrites(deps: StepDeps, { imageId, taskId }: StepEvent): Promise<void> {
  const task = await deps.tasks.get(taskId);
  const image = await deps.images.get(imageId);
  const recorded = storesWrittenBy(image, taskId);
  const places = ['staging', ...(task?.import?.stores ?? [])].filter((place) => !recorded.includes(place));
  for (const place of places) await deps.bytes.removePrefix(place, imagePrefix(imageId, taskId));
}
