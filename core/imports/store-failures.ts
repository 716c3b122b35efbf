import type { WithClock } from '../clock.ts';
import type { WithTasks } from '../tasks/repository.ts';
import type { BatchProgress } from '../tasks/task.ts';

const PREFIX = 'failed:';

/** Why a store could not be written, for the words that end the import: a record of the store's own, as branches fail side by side. */
export async function recordStoreFailure(
  deps: WithTasks & WithClock,
  taskId: string,
  store: string,
  message: string,
): Promise<void> {
  const atMs = deps.clock.now();
  const record = { taskId, phase: `${PREFIX}${store}`, batch: 0, bytesDone: 0, bytesTotal: 0, startedAtMs: atMs, atMs };
  await deps.tasks.putBatch({ ...record, error: { kind: 'StoreFailed', message } });
}

/** One sentence for each store that failed. */
export function storeFailures(batches: readonly BatchProgress[]): string[] {
  return batches.flatMap(({ phase, error }) =>
    error !== undefined && phase.startsWith(PREFIX) ? [storeFailure(phase.slice(PREFIX.length), error.message)] : [],
  );
}

export const storeFailure = (store: string, cause: string): string => `Store ${store} failed: ${cause}`;
