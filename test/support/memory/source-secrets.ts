import type { SourceSecretReads, SourceSecrets } from '../../../core/tasks/source-secrets.ts';

/** Both sides, and what is kept, by task. */
export function memorySourceSecrets(): SourceSecrets &
  SourceSecretReads & { readonly kept: ReadonlyMap<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    keep: async (taskId, url) => void kept.set(taskId, url),
    forget: async (taskId) => void kept.delete(taskId),
    of: async (taskId) => kept.get(taskId),
  };
}
