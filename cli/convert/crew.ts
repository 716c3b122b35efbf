/** The threads of a conversion, or the main thread alone, behind one call: work on this phase. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import {
  Corrupt,
  type FormatError,
  LimitExceeded,
  SourceChanged,
  Truncated,
  Unsafe,
  Unsupported,
} from '../../formats/errors.ts';
import { stop } from './shared.ts';
import { type Assignment, type Phase, Work } from './work.ts';
import type { Answer } from './worker.ts';

export interface Crew {
  /** Resolves when every slice of the phase is done. @throws the first thing that went wrong, after all have stopped */
  run(phase: Phase): Promise<void>;
  close(): Promise<void>;
}

/** @param threads 1 works on the calling thread: a small image is done before a thread would have started */
export async function hireCrew(assignment: Assignment, threads: number): Promise<Crew> {
  return threads <= 1 ? Work.open(assignment) : threadCrew(assignment, threads);
}

function threadCrew(assignment: Assignment, threads: number): Crew {
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL('./thread.mjs', import.meta.url), { workerData: assignment }),
  );
  return {
    async run(phase) {
      const results = await Promise.allSettled(workers.map((worker) => runOn(worker, assignment, phase)));
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
    async close() {
      await Promise.all(
        workers.map(async (worker) => {
          worker.postMessage('close');
          await Promise.race([once(worker, 'exit'), once(worker, 'error').catch(() => undefined)]);
        }),
      );
    },
  };
}

async function runOn(worker: Worker, assignment: Assignment, phase: Phase): Promise<void> {
  worker.postMessage(phase);
  const [answer] = (await Promise.race([once(worker, 'message'), died(worker)])) as [Answer];
  if (answer.ok) return;
  stop(assignment.state);
  throw revive(answer);
}

/** A thread that ends without an answer (out of memory) is an error of its own. */
async function died(worker: Worker): Promise<never> {
  const [code] = await once(worker, 'exit');
  throw new Error(`a conversion thread ended with code ${code}`);
}

const KINDS: Readonly<Record<string, (message: string) => FormatError>> = {
  Truncated: (message) => new Truncated(message),
  Corrupt: (message) => new Corrupt(message),
  Unsupported: (message) => new Unsupported(message),
  LimitExceeded: (message) => new LimitExceeded(message),
  SourceChanged: (message) => new SourceChanged(message),
};

function revive(answer: Extract<Answer, { ok: false }>): Error {
  if (answer.kind === 'Unsafe') return new Unsafe(answer.code ?? 'corrupt', answer.message);
  return KINDS[answer.kind ?? '']?.(answer.message) ?? new Error(answer.message);
}
