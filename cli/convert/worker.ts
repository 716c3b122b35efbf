/** A thread of a conversion: opens its own files, works on each phase it is told, and says how it went. */
import { parentPort, workerData } from 'node:worker_threads';
import { reason } from '../exit.ts';
import { type Assignment, type Phase, Work } from './work.ts';

/** What a thread answers to each phase; `kind` and `code` are those of formats/errors.ts where it is one. */
export type Answer =
  | { readonly ok: true }
  | { readonly ok: false; readonly message: string; readonly kind?: string; readonly code?: string };

const work = Work.open(workerData as Assignment);
// A failure to open is the answer to the first phase.
work.catch(() => undefined);

async function answer(phase: Phase): Promise<Answer> {
  try {
    await (await work).run(phase);
    return { ok: true };
  } catch (error) {
    return { ok: false, message: reason(error), ...textField(error, 'kind'), ...textField(error, 'code') };
  }
}

function textField(error: unknown, field: 'kind' | 'code'): Partial<Record<'kind' | 'code', string>> {
  const value = (error as Partial<Record<'kind' | 'code', unknown>> | null)?.[field];
  return typeof value === 'string' ? { [field]: value } : {};
}

parentPort?.on('message', async (phase: Phase | 'close') => {
  if (phase !== 'close') {
    parentPort?.postMessage(await answer(phase));
    return;
  }
  await work.then(
    (open) => open.close(),
    () => undefined,
  );
  parentPort?.close();
});
