/** A thread of a conversion: opens its own files, works until no slice is left, and says how it went. */
import { parentPort, workerData } from 'node:worker_threads';
import { reason } from '../exit.ts';
import { type Assignment, Work } from './work.ts';

/** What a thread answers; `kind` and `code` are those of formats/engine/errors.ts where it is one. */
export type Answer =
  | { readonly ok: true }
  | { readonly ok: false; readonly message: string; readonly kind?: string; readonly code?: string };

async function answer(assignment: Assignment): Promise<Answer> {
  try {
    const work = await Work.open(assignment);
    try {
      await work.run();
    } finally {
      await work.close();
    }
    return { ok: true };
  } catch (error) {
    return { ok: false, message: reason(error), ...textField(error, 'kind'), ...textField(error, 'code') };
  }
}

function textField(error: unknown, field: 'kind' | 'code'): Partial<Record<'kind' | 'code', string>> {
  const value = (error as Partial<Record<'kind' | 'code', unknown>> | null)?.[field];
  return typeof value === 'string' ? { [field]: value } : {};
}

// A thread that only waits for its turn has nothing else that keeps it alive.
const alive = setInterval(() => undefined, 2 ** 30);
parentPort?.postMessage(await answer(workerData as Assignment));
clearInterval(alive);
