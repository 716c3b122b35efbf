import type { WithSourceUrls } from '../tasks/source-urls.ts';
import type { Task } from '../tasks/task.ts';

/**
 * Whatever ends an import removes the whole URL that its fetch may have needed. Repeatable. That of a cancelled one is kept for a retry,
 * and goes with what else is kept (kept.ts).
 */
export async function forgetSourceUrl({ sourceUrls }: WithSourceUrls, task: Task | undefined): Promise<void> {
  const keptUnder = task?.cancelledAt === undefined ? sourceUrlKey(task) : undefined;
  if (keptUnder !== undefined) await sourceUrls.forget(keptUnder);
}

/** The id under which a task's whole URL lies; undefined when it has none apart. */
export function sourceUrlKey(task: Pick<Task, 'id' | 'import'> | undefined): string | undefined {
  const method = task?.import?.method;
  if (method?.name !== 'web-download' || method.isShortened !== true) return undefined;
  return method.keptUnder ?? task?.id;
}
