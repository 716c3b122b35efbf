import type { ImportProgress } from '../images/image.ts';
import { etaSeconds, type PhaseWork } from './eta.ts';
import type { BatchProgress, ImportFacts } from './task.ts';

/** Progress of a task in bytes; `ImportProgress` is what lists show of it. */
export interface TaskProgress extends ImportProgress {
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/**
 * Sums the batches against the work that is known so far. Percent is bytes done of bytes to do, and reaches 100 only when a
 * task ends; `eta.ts` says when that will be (decision: docs/adr/0008-progress-in-bytes.md).
 * @param facts of the task; without `work` there is nothing to do
 * @param isTold a time to the end was told before
 */
export function progressOf(
  { work = {}, rates }: Pick<ImportFacts, 'work' | 'rates'>,
  batches: readonly BatchProgress[],
  nowMs: number,
  isTold = false,
): TaskProgress {
  const phases = Object.entries(work).map(([phase, total]) => measure(phase, total, batches));
  const bytesTotal = sum(phases.map((p) => p.total));
  const bytesDone = sum(phases.map((p) => p.done));
  const current =
    phases.findLast((p) => p.done > 0 && p.done < p.total) ?? phases.find((p) => p.done < p.total) ?? phases.at(-1);
  const eta = isUncounted(work, batches) ? undefined : etaSeconds(phases, nowMs, rates, isTold);
  return {
    phase: current?.phase ?? 'begin',
    percent: bytesTotal === 0 ? 0 : Math.min(99, Math.floor((100 * bytesDone) / bytesTotal)),
    ...(eta === undefined ? {} : { etaSeconds: eta }),
    bytesDone,
    bytesTotal,
  };
}

/** What is at work now is not in the sum, such as the unpacking of a file: how long that takes, and what comes out, nobody knows. */
function isUncounted(work: NonNullable<ImportFacts['work']>, batches: readonly BatchProgress[]): boolean {
  const atMs = Math.max(...batches.map((batch) => batch.atMs));
  const latest = batches.find((batch) => batch.atMs === atMs);
  return latest !== undefined && !Object.hasOwn(work, latest.phase) && latest.bytesDone < latest.bytesTotal;
}

function measure(phase: string, total: number, all: readonly BatchProgress[]): PhaseWork {
  const batches = all.filter((batch) => batch.phase === phase);
  return { phase, total, done: Math.min(total, sum(batches.map((batch) => batch.bytesDone))), batches };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
