/** All threads of a conversion: the calling one, and the others that were asked for. */
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
} from '../../formats/engine/errors.ts';
import type { ByteSource } from '../../formats/engine/source.ts';
import { doneSlices, type SharedState, stop } from './shared.ts';
import { type Assignment, Work } from './work.ts';
import type { Answer } from './worker.ts';

/** Threads make little garbage: without a limit each heap would take room that the memory bound of a conversion has not. */
const HEAP = { maxYoungGenerationSizeMb: 4 };

/**
 * Renders every slice of a conversion. The calling thread starts at once; the others join when they have started, and are
 * ended when nothing was left for them.
 * @param threads the calling one included
 * @param source what the calling thread reads instead of the file
 * @throws the first thing that went wrong, after all have stopped
 */
export async function runSlices(assignment: Assignment, threads: number, source?: ByteSource): Promise<void> {
  const { state, plan } = assignment;
  const own = await Work.open(assignment, source);
  const workers = Array.from(
    { length: threads - 1 },
    () => new Worker(new URL('./thread.mjs', import.meta.url), { workerData: assignment, resourceLimits: HEAP }),
  );
  const others = Promise.allSettled(workers.map((worker) => resultOf(worker, state)));
  try {
    await own.run();
    if (doneSlices(state) === plan.sliceCount) await Promise.all(workers.map((worker) => worker.terminate()));
    else throwFirst(await others);
  } catch (error) {
    stop(state);
    await others;
    throw error;
  } finally {
    await own.close();
  }
}

function throwFirst(results: readonly PromiseSettledResult<void>[]): void {
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function resultOf(worker: Worker, state: SharedState): Promise<void> {
  try {
    const [answer] = (await Promise.race([once(worker, 'message'), died(worker)])) as [Answer];
    if (!answer.ok) throw revive(answer);
  } catch (error) {
    stop(state);
    throw error;
  }
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
