/** The body of a worker thread: imports the module that a job names (once) and calls its export. */
import { isMainThread, parentPort } from 'node:worker_threads';
import type { Callback, CallbackAnswer } from './functions.ts';
import { answerOf, type Handler, thrown } from './handler.ts';

/** A call of an exported handler; `module` is a file URL. */
export interface WorkerJob extends Callback {
  id: number;
  module: string;
  export: string;
}

/** What a job came to. */
export interface WorkerAnswer {
  id: number;
  answer: CallbackAnswer;
}

const handlers = new Map<string, Handler>();

async function load(module: string, name: string): Promise<Handler> {
  const key = `${module}#${name}`;
  const known = handlers.get(key);
  if (known !== undefined) return known;
  const exports = (await import(module)) as Record<string, unknown>;
  const handler = exports[name];
  if (typeof handler !== 'function') throw new TypeError(`${module} exports no function ${name}`);
  handlers.set(key, handler as Handler);
  return handler as Handler;
}

async function run(job: WorkerJob): Promise<CallbackAnswer> {
  try {
    return await answerOf(await load(job.module, job.export), job);
  } catch (error) {
    return { error: thrown(error) };
  }
}

if (!isMainThread) {
  parentPort?.on('message', (job: WorkerJob) => {
    void run(job).then((answer) => parentPort?.postMessage({ id: job.id, answer } satisfies WorkerAnswer));
  });
}
