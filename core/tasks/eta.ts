/** How long a task will still take: what remains of each phase at the rate that the phase shows of late. */
import type { BatchProgress, PhaseRates } from './task.ts';

/** One phase of a task: bytes to do, bytes done, and the batches that say so. */
export interface PhaseWork {
  readonly phase: string;
  readonly total: number;
  readonly done: number;
  readonly batches: readonly BatchProgress[];
}

const MIB = 1024 ** 2;
/** Bytes per second by phase, where no import has shown them yet: what one machine with two cores does. */
const FIRST_RATES: PhaseRates = {
  fetch: 50 * MIB,
  decompress: 100 * MIB,
  render: 200 * MIB,
  assemble: 200 * MIB,
  hash: 300 * MIB,
};
/** Of a phase that nothing is known of, such as the copy to a store. */
const ANY_RATE = 200 * MIB;
/** A phase's own rate counts in full from here on: the first reports are start-up and chance. Shorter phases teach nothing. */
const SETTLED_MS = 2_000;
/** From the work of one phase to that of the next, or to the end of the task: states and the start of functions. */
const STEP_MS = 400;
/** Reports come about every second; after so long without one, time passes and nothing is done. */
const SILENT_MS = 5_000;
/** The shortest stretch that a rate is taken from: a handful of reports. */
const STRETCH_MS = 5_000;

/** The latest stretch of a phase, from which its rate is taken: a third of it, so that a change of pace shows soon, and chance does not. */
export const stretchMs = (elapsedMs: number): number => Math.max(STRETCH_MS, elapsedMs / 3);

/** Milliseconds that something takes: as it looks, and between what it surely is. */
interface Span {
  readonly least: number;
  readonly likely: number;
  readonly most: number;
}

/** Either way, by what factor a rate may be wrong: one that the phase shows itself, one of earlier imports, and one of another machine. */
const DOUBT = { shown: 1.25, learned: 1.5, guessed: 4 } as const;
/** What is told first is at most so far off, either way. */
const BELIEVED = 2;

/**
 * Seconds to the end, or undefined before anything was done, and until what is told can be believed: it is within a factor of two of
 * what is likely to come. Phases come one after another, but for the hash and the copies, which run side by side: the slowest of those
 * counts. The age of the last report is taken off.
 * @param rates what earlier imports showed: a phase that has not begun is taken to run like that
 * @param isTold an estimate was told before: the next one is, whatever there is to say for it
 */
export function etaSeconds(
  phases: readonly PhaseWork[],
  nowMs: number,
  rates: PhaseRates = {},
  isTold = false,
): number | undefined {
  if (phases.every(({ done }) => done === 0)) return undefined;
  const left = phases.map((work) => ({ phase: work.phase, span: spanOf(work, nowMs, rates) }));
  const inTurn = left.filter(({ phase }) => !isBeside(phase)).map(({ span }) => span);
  const beside = left.filter(({ phase }) => isBeside(phase)).map(({ span }) => span);
  const steps = STEP_MS * (1 + phases.filter(({ batches }) => batches.length === 0).length);
  const spans = [...inTurn, slowest(beside), around(steps, DOUBT.guessed)];
  const { least, likely, most } = spans.reduce(together);
  if (!isTold && (most > BELIEVED * likely || likely > BELIEVED * least)) return undefined;
  return Math.round(likely / 1000);
}

const around = (likely: number, doubt: number): Span => ({ least: likely / doubt, likely, most: likely * doubt });
const together = (a: Span, b: Span): Span => ({
  least: a.least + b.least,
  likely: a.likely + b.likely,
  most: a.most + b.most,
});
const slowest = (spans: readonly Span[]): Span => ({
  least: Math.max(0, ...spans.map(({ least }) => least)),
  likely: Math.max(0, ...spans.map(({ likely }) => likely)),
  most: Math.max(0, ...spans.map(({ most }) => most)),
});

function elapsedMs(batches: readonly BatchProgress[]): number {
  if (batches.length === 0) return 0;
  return Math.max(...batches.map(({ atMs }) => atMs)) - Math.min(...batches.map(({ startedAtMs }) => startedAtMs));
}

/** What remains of a phase, and how sure that is. */
function spanOf(work: PhaseWork, nowMs: number, rates: PhaseRates): Span {
  const learned = rates[work.phase];
  const expected = learned ?? FIRST_RATES[work.phase] ?? ANY_RATE;
  const unshown = learned === undefined ? DOUBT.guessed : DOUBT.learned;
  return around(leftMs(work, nowMs, expected / 1000), elapsedMs(work.batches) >= SETTLED_MS ? DOUBT.shown : unshown);
}

const isBeside = (phase: string): boolean => phase === 'hash' || phase.startsWith('copy:');

/** What an ended import teaches: half of what was known, half what it showed itself. */
export function learnedRates(batches: readonly BatchProgress[], known: PhaseRates): PhaseRates {
  const phases = Map.groupBy(batches, (batch) => batch.phase);
  const shown = [...phases].flatMap(([phase, own]) => {
    const ms = Math.max(...own.map((batch) => batch.atMs)) - Math.min(...own.map((batch) => batch.startedAtMs));
    const rate = (1000 * own.reduce((sum, { bytesDone }) => sum + bytesDone, 0)) / ms;
    return ms < SETTLED_MS || rate === 0 || phase === 'fetch'
      ? []
      : [[phase, (rate + (known[phase] ?? rate)) / 2] as const];
  });
  return { ...known, ...Object.fromEntries(shown) };
}

/** @param expected bytes per millisecond */
function leftMs({ total, done, batches }: PhaseWork, nowMs: number, expected: number): number {
  if (done >= total) return 0;
  if (batches.length === 0) return total / expected;
  const begin = Math.min(...batches.map((batch) => batch.startedAtMs));
  const reported = Math.max(...batches.map((batch) => batch.atMs));
  const atMs = nowMs - reported > SILENT_MS ? nowMs : reported;
  const fromMs = Math.max(begin, atMs - stretchMs(atMs - begin));
  const bytes = batches.reduce((sum, batch) => sum + doneAt(batch, atMs) - doneAt(batch, fromMs), 0);
  const own = bytes > 0 ? bytes / Math.max(1, atMs - fromMs) : done / Math.max(1, atMs - begin);
  const trust = Math.min(1, (atMs - begin) / SETTLED_MS);
  return Math.max(0, (total - done) / (trust * (own || expected) + (1 - trust) * expected) - (nowMs - atMs));
}

/** Bytes that a batch had done at a moment: on the line through what it reported. */
function doneAt({ startedAtMs, earlier, atMs, bytesDone }: BatchProgress, ms: number): number {
  const start = { atMs: startedAtMs, bytesDone: 0 };
  const middle = earlier ?? start;
  const [from, to] = ms < middle.atMs ? [start, middle] : [middle, { atMs, bytesDone }];
  if (ms >= to.atMs) return to.bytesDone;
  if (ms <= from.atMs) return from.bytesDone;
  return from.bytesDone + ((to.bytesDone - from.bytesDone) * (ms - from.atMs)) / (to.atMs - from.atMs);
}
