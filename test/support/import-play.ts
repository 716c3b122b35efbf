/** Plays an import against the real reporters on a clock of its own: who moves how many bytes at what pace, and what a client sees meanwhile. */

import type { ImportProgress } from '../../core/images/image.ts';
import type { ImportTask } from '../../core/imports/report/import-task.ts';
import { reporter } from '../../core/imports/report/reporter.ts';
import { learnedRates } from '../../core/tasks/eta.ts';
import { progressOf } from '../../core/tasks/progress.ts';
import type { BatchProgress, ImportFacts, PhaseRates } from '../../core/tasks/task.ts';

const MIB = 1024 ** 2;

/** Bytes of one phase and how they move. Rates are MiB/s of the whole phase. */
export interface PlayedPhase {
  readonly phase: string;
  readonly mib: number;
  /** By the share of the phase that is done, 0 to 1. */
  readonly rate: (share: number) => number;
  /** MiB after which the step reports; default 1. */
  readonly piece?: number;
  /** Cut into batches of so many MiB, two at a time. */
  readonly batch?: number;
}

/** Phases side by side; what becomes known of the work before they begin. */
export interface PlayedStage {
  readonly phases: readonly PlayedPhase[];
  /** MiB by phase, when this stage's step notes them. */
  readonly work?: Readonly<Record<string, number>>;
}

/** What a client saw at a moment. */
export interface Sight {
  readonly atMs: number;
  /** Share of all bytes of the import that have really been moved by then, 0 to 100. */
  readonly truth: number;
  /** Of the image, rolled up by the steps. */
  readonly image: ImportProgress | null;
  /** Of its task, summed at this moment. */
  readonly task: ImportProgress | null;
}

export interface Played {
  readonly sights: readonly Sight[];
  readonly endMs: number;
  /** What the next import knows of the pace. */
  readonly rates: PhaseRates;
}

/** Between two states of a workflow. */
const TRANSITION_MS = 400;
const POLL_MS = 250;

/** @param rates what earlier imports taught */
export async function playImport(stages: readonly PlayedStage[], rates: PhaseRates = {}): Promise<Played> {
  const clock = virtualClock();
  const store = memory(rates);
  const deps = { ...store.ports, clock } as unknown as Parameters<typeof reporter>[0];
  const all = stages.flatMap((stage) => stage.phases).reduce((sum, { mib }) => sum + mib, 0);
  let moved = 0;
  const sights: Sight[] = [];
  let isOver = false;

  const client = async (): Promise<void> => {
    while (!isOver) {
      const { facts } = store;
      const isTold = store.image.progress?.etaSeconds !== undefined;
      const batches = [...store.batches.values()];
      const task = facts.work === undefined ? null : progressOf(facts, batches, clock.now(), isTold);
      sights.push({ atMs: clock.now(), truth: (100 * moved) / all, image: store.image.progress, task });
      await clock.sleep(POLL_MS);
    }
  };
  const lane = async (played: PlayedPhase, queue: IterableIterator<[number, number]>, lanes: number): Promise<void> => {
    for (const [batch, mib] of queue) {
      const report = reporter(deps, TASK, played.phase, batch, mib * MIB);
      for (let left = mib; left > 0; ) {
        const piece = Math.min(left, played.piece ?? 1);
        await clock.sleep((1000 * piece * lanes) / played.rate(shareOf(store.batches, played)));
        moved += piece;
        left -= piece;
        await report.add(piece * MIB);
      }
      await report.end();
    }
  };
  const workflow = async (): Promise<void> => {
    for (const { phases, work } of stages) {
      await clock.sleep(TRANSITION_MS);
      if (work !== undefined) store.facts.work = inBytes(work);
      await Promise.all(
        phases.flatMap((played) => {
          const queue = batchesOf(played).entries();
          const lanes = played.batch === undefined ? 1 : 2;
          return Array.from({ length: lanes }, () => lane(played, queue, lanes));
        }),
      );
    }
    await clock.sleep(TRANSITION_MS);
    isOver = true;
  };
  await clock.run(Promise.all([workflow(), client()]));
  return { sights, endMs: clock.now(), rates: learnedRates([...store.batches.values()], rates) };
}

const TASK = { id: 'task', imageId: 'image' } as ImportTask;

function batchesOf({ mib, batch = mib }: PlayedPhase): number[] {
  return Array.from({ length: Math.ceil(mib / batch) }, (_, n) => Math.min(batch, mib - n * batch));
}

function inBytes(work: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(work).map(([phase, mib]) => [phase, mib * MIB]));
}

function shareOf(batches: ReadonlyMap<string, BatchProgress>, { phase, mib }: PlayedPhase): number {
  const own = [...batches.values()].filter((batch) => batch.phase === phase);
  return own.reduce((sum, { bytesDone }) => sum + bytesDone, 0) / (mib * MIB);
}

/** The records that reporters write, and nothing else of a service. */
function memory(rates: PhaseRates) {
  const batches = new Map<string, BatchProgress>();
  const facts: { rates: PhaseRates; work?: NonNullable<ImportFacts['work']> } = { rates };
  const due = { atMs: 0 };
  const image: { lock: string; progress: ImportProgress | null } = { lock: TASK.id, progress: null };
  const ports = {
    tasks: {
      get: async () => ({ ...TASK, facts }),
      putBatch: async (batch: BatchProgress) => void batches.set(`${batch.phase} ${batch.batch}`, batch),
      batches: async () => [...batches.values()],
    },
    images: {
      get: async () => image,
      noteProgress: async (_id: string, _taskId: string, progress: ImportProgress) =>
        Object.assign(image, { progress }),
    },
    duties: {
      postpone: async ({ dueAtMs }: { dueAtMs: number }, lateEnoughMs: number) => {
        if (due.atMs > lateEnoughMs) return false;
        due.atMs = dueAtMs;
        return true;
      },
    },
  };
  return { batches, facts, image, ports };
}

/** Time passes when everybody sleeps. */
function virtualClock() {
  let nowMs = 1_000_000;
  const sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];
  return {
    now: () => nowMs,
    sleep: (ms: number) => new Promise<void>((wake) => void sleepers.push({ atMs: nowMs + ms, wake })),
    async run(played: Promise<unknown>): Promise<void> {
      let isOver = false;
      const over = played.finally(() => {
        isOver = true;
      });
      while (!isOver) {
        await new Promise((resolve) => setImmediate(resolve));
        const next = sleepers.toSorted((a, b) => a.atMs - b.atMs)[0];
        if (next === undefined) continue;
        sleepers.splice(sleepers.indexOf(next), 1);
        nowMs = next.atMs;
        next.wake();
      }
      await over;
    },
  };
}
