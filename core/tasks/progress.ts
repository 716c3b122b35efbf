import type { ImportProgress } from '../images/image.ts';
import type { BatchProgress } from './task.ts';

/** Progress of a task in bytes; `ImportProgress` is what lists show of it. */
export interface TaskProgress extends ImportProgress {
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/**
 * Sums the batches against the work that is known so far. Percent is bytes done of bytes to do, and reaches 100 only when a
 * task ends. The ETA adds up, phase by phase, what remains at that phase's own rate; a phase that has not begun is assumed
 * to run at the rate of all the others so far.
 * @param work bytes each phase has to do
 */
export function progressOf(
  work: Readonly<Record<string, number>>,
  batches: readonly BatchProgress[],
  nowMs: number,
): TaskProgress {
  const phases = Object.entries(work).map(([phase, total]) => measure(phase, total, batches, nowMs));
  const bytesTotal = sum(phases.map((p) => p.total));
  const bytesDone = sum(phases.map((p) => p.done));
  const current =
    phases.findLast((p) => p.done > 0 && p.done < p.total) ?? phases.find((p) => p.done < p.total) ?? phases.at(-1);
  const eta = etaSeconds(phases);
  return {
    phase: current?.phase ?? 'begin',
    percent: bytesTotal === 0 ? 0 : Math.min(99, Math.floor((100 * bytesDone) / bytesTotal)),
    ...(eta === undefined ? {} : { etaSeconds: eta }),
    bytesDone,
    bytesTotal,
  };
}

interface Measured {
  readonly phase: string;
  readonly total: number;
  readonly done: number;
  readonly elapsedMs: number;
}

function measure(phase: string, total: number, batches: readonly BatchProgress[], nowMs: number): Measured {
  const own = batches.filter((batch) => batch.phase === phase);
  const done = Math.min(total, sum(own.map((batch) => batch.bytesDone)));
  if (own.length === 0) return { phase, total, done, elapsedMs: 0 };
  const begin = Math.min(...own.map((batch) => batch.startedAtMs));
  const end = done >= total ? Math.max(...own.map((batch) => batch.atMs)) : nowMs;
  return { phase, total, done, elapsedMs: Math.max(0, end - begin) };
}

function etaSeconds(phases: readonly Measured[]): number | undefined {
  const allDone = sum(phases.map((p) => p.done));
  const allMs = sum(phases.map((p) => p.elapsedMs));
  if (allDone === 0 || allMs === 0) return undefined;
  const ms = phases.map(({ total, done, elapsedMs }) => {
    const rate = done > 0 && elapsedMs > 0 ? done / elapsedMs : allDone / allMs;
    return (total - done) / rate;
  });
  return Math.round(sum(ms) / 1000);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
