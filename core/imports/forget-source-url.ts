import type { WithSourceUrls } from '../tasks/source-urls.ts';
import type { Task } from '../tasks/task.ts';

/** Whatever ends an import removes the whole URL that its fetch may have needed. Repeatable. */
export async function forgetSourceUrl({ sourceUrls }: WithSourceUrls, task: Task | undefined): Promise<void> {
  const method = task?.import?.method;
  if (method?.name === 'web-download' && method.isShortened === true) await sourceUrls.forget(task?.id ?? '');
}
