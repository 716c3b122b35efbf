import type { WithSourceSecrets } from '../tasks/source-secrets.ts';
import type { ImportMethod, Task } from '../tasks/task.ts';

/** Whatever ends an import removes the secret that its fetch may have needed. Repeatable. */
export async function forgetSourceSecret({ sourceSecrets }: WithSourceSecrets, task: Task | undefined): Promise<void> {
  const method = task?.import?.method;
  if (task !== undefined && method !== undefined && hasSecret(method)) await sourceSecrets.forget(task.id);
}

function hasSecret(method: ImportMethod): boolean {
  return method.name === 'glance-download' || (method.name === 'web-download' && method.isShortened === true);
}
