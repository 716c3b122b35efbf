/** What is told first of the time to the end, on machines of every pace that have seen no import. */
import { describe, expect, it } from 'vitest';
import { etaSeconds, type PhaseWork } from '../../../../core/tasks/eta.ts';
import { progressOf } from '../../../../core/tasks/progress.ts';
import type { BatchProgress } from '../../../../core/tasks/task.ts';

const MIB = 1024 ** 2;
const GIB = 1024 * MIB;

/** What a phase has to do, and what this machine does of it in a second, beside what a machine with two cores does. */
interface Phase {
  readonly phase: string;
  readonly bytes: number;
  readonly rate: number;
}

interface Sight {
  readonly atMs: number;
  readonly eta: number | undefined;
}

/** Plays an import whose phases run one after another, a step before each and one at the end, and looks every second. */
function play(phases: readonly Phase[], stepMs: number): { readonly sights: readonly Sight[]; readonly endMs: number } {
  let startMs = stepMs;
  const timed = phases.map(({ phase, bytes, rate }) => {
    const from = startMs;
    const to = from + (1000 * bytes) / rate;
    startMs = to + stepMs;
    return { phase, bytes, from, to };
  });
  const endMs = startMs;
  const sights: Sight[] = [];
  for (let nowMs = 1000; nowMs < endMs; nowMs += 1000) {
    const works = timed.map(({ phase, bytes, from, to }): PhaseWork => {
      const atMs = Math.min(to, nowMs);
      const done = Math.floor((bytes * Math.max(0, atMs - from)) / (to - from));
      const batch: BatchProgress = {
        ...{ taskId: 't', phase, batch: 0, bytesDone: done, bytesTotal: bytes, startedAtMs: from, atMs },
      };
      return { phase, total: bytes, done, batches: nowMs <= from ? [] : [batch] };
    });
    sights.push({ atMs: nowMs, eta: etaSeconds(works, nowMs) });
  }
  return { sights, endMs };
}

const first = ({ sights }: ReturnType<typeof play>) => sights.find(({ eta }) => eta !== undefined);

/** Whole seconds are told. */
const isWithinTwo = (eta: number, leftS: number) => eta + 0.5 >= leftS / 2 && eta - 0.5 <= leftS * 2;

const SPEEDS = [1 / 3, 1 / 2, 1, 2, 3];
const JITTERS = [3 / 4, 1, 4 / 3];
const STEPS = [100, 400, 1500];
const IMPORTS = {
  'a conversion to raw': [
    ['render', 4 * GIB, 200 * MIB],
    ['hash', 4 * GIB, 300 * MIB],
  ],
  'a conversion of a sparse disk': [
    ['render', GIB, 200 * MIB],
    ['hash', 20 * GIB, 300 * MIB],
  ],
  'a conversion to qcow2': [
    ['render', 4 * GIB, 200 * MIB],
    ['assemble', GIB, 200 * MIB],
    ['hash', GIB, 300 * MIB],
  ],
  'a download that is converted': [
    ['fetch', 2 * GIB, 10 * MIB],
    ['render', GIB, 200 * MIB],
    ['hash', GIB, 300 * MIB],
  ],
  'a small one': [
    ['render', 64 * MIB, 200 * MIB],
    ['hash', 64 * MIB, 300 * MIB],
  ],
  'bytes that are hashed': [['hash', 4 * GIB, 300 * MIB]],
} as const satisfies Readonly<Record<string, readonly (readonly [phase: string, bytes: number, rate: number])[]>>;

/** Every pace of the machine, with each phase off from it by itself. */
function machines(phases: readonly (readonly [string, number, number])[]): Phase[][] {
  const mixes = phases.reduce<number[][]>((all, _) => all.flatMap((mix) => JITTERS.map((one) => [...mix, one])), [[]]);
  return SPEEDS.flatMap((speed) =>
    mixes.map((mix) =>
      phases.map(([phase, bytes, rate], at) => ({ phase, bytes, rate: rate * speed * (mix[at] ?? 1) })),
    ),
  );
}

describe.each(Object.entries(IMPORTS))('the first estimate of %s', (_, phases) => {
  it('is within a factor of two of what it took', () => {
    const wrong = machines(phases).flatMap((machine) =>
      STEPS.flatMap((stepMs) => {
        const played = play(machine, stepMs);
        const told = first(played);
        if (told?.eta === undefined) return [];
        const leftS = (played.endMs - told.atMs) / 1000;
        return isWithinTwo(told.eta, leftS) ? [] : [{ machine, stepMs, told, leftS }];
      }),
    );

    expect(wrong).toEqual([]);
  });

  it('comes before the end of what takes a minute', () => {
    const late = machines(phases).flatMap((machine) => {
      const played = play(machine, 400);
      if (played.endMs < 60_000) return [];
      const told = first(played);
      return told !== undefined && told.atMs < 0.85 * played.endMs ? [] : [{ machine, told, endMs: played.endMs }];
    });

    expect(late).toEqual([]);
  });
});

describe('an estimate', () => {
  const at = (phase: string, bytesDone: number, bytesTotal: number, startedAtMs: number, atMs: number) => ({
    ...{ taskId: 't', batch: 0, phase, bytesDone, bytesTotal, startedAtMs, atMs },
  });

  it('waits until a phase has shown its pace', () => {
    const batches = [at('render', 10 * MIB, GIB, 0, 300)];

    expect(progressOf({ work: { render: GIB } }, batches, 300).etaSeconds).toBeUndefined();
  });

  it('is told on once it was told', () => {
    const batches = [at('render', GIB, GIB, 0, 20_000)];
    const facts = { work: { render: GIB, hash: 300 * GIB } };

    expect(progressOf(facts, batches, 20_000).etaSeconds).toBeUndefined();
    expect(progressOf(facts, batches, 20_000, true).etaSeconds).toBeGreaterThan(100);
  });

  it('is none while a file is unpacked, whose content is not known', () => {
    const fetched = at('fetch', GIB, GIB, 0, 20_000);
    const work = { fetch: GIB, render: GIB };
    const unpacking = at('decompress', 0, GIB, 20_500, 25_000);

    expect(progressOf({ work }, [fetched, unpacking], 25_000, true).etaSeconds).toBeUndefined();
    expect(progressOf({ work }, [fetched, { ...unpacking, bytesDone: GIB }], 25_000, true).etaSeconds).toBeDefined();
  });
});
