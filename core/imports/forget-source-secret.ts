import type { WithSourceSecrets } from '../tasks/source-secrets.ts';
import type { Task } from '../tasks/task.ts';

/**
 * Whatever ends an import removes the secret that its fetch may have needed. Repeatable. The whole URL of a cancelled one is kept for a
 * retry, and goes with what else is kept (kept.ts); a token goes at once.
 */
export async function forgetSourceSecret({ sourceSecrets }: WithSourceSecrets, task: Task | undefined): Promise<void> {
  if (task?.import?.method.name === 'glance-download') return sourceSecrets.forget(task.id);
  const keptUnder = task?.cancelledAt === undefined ? sourceSecretKey(task) : undefined;
  if (keptUnder !== undefined) await sourceSecrets.forget(keptUnder);
}

/** The id under which a task's whole URL lies; undefined when it has none apart. */
export function sourceSecretKey(task: Pick<Task, 'id' | 'import'> | undefined): string | undefined {
  const method = task?.import?.method;
  if (method?.name !== 'web-download' || method.isShortened !== true) return undefined;
  return method.keptUnder ?? task?.id;
}
