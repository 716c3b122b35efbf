import { imagePrefix } from '../../bytes/keys.ts';
import { StoreFailed } from '../../core/errors.ts';
import { importTask } from '../../core/imports/report.ts';
import { storeFailed } from '../../core/imports/settle.ts';
import { causeOf, type WorkflowError } from './cause.ts';
import { recordStep, type StepEvent } from './step.ts';

interface StoreFailedEvent extends StepEvent {
  readonly store: string;
  readonly error: WorkflowError;
}

/**
 * One store could not be written: it is named as failed and swept. When all stores must succeed that ends the import.
 * @throws StoreFailed with the store's cause
 */
export const handler = recordStep<StoreFailedEvent>(async (deps, { taskId, imageId, store, error }) => {
  const task = await importTask(deps, taskId);
  const cause = causeOf(error);
  await storeFailed(deps, task, store);
  deps.log.warn('store failed', { task: taskId, image: imageId, store, cause });
  await removeQuietly(deps, store, imagePrefix(imageId, taskId));
  if (task.import.allStoresMustSucceed) throw new StoreFailed(`Store ${store} failed: ${cause}`);
});

/** The store is broken: sweeping it may fail too, and then its tombstone gets it later. */
async function removeQuietly(
  deps: Parameters<Parameters<typeof recordStep>[0]>[0],
  place: string,
  prefix: string,
): Promise<void> {
  try {
    await deps.bytes.removePrefix(place, prefix);
  } catch (error) {
    const [, imageId = '', writeId = ''] = prefix.split('/');
    await deps.duties.put({
      id: `retired:${imageId}:${writeId}:${place}`,
      kind: 'retired',
      imageId,
      writeId,
      places: [{ place, prefix }],
      dueAtMs: deps.clock.now() + 60_000,
    });
    deps.log.warn('sweep postponed', { place, prefix, cause: String(error) });
  }
}
