/** Plays a scenario to its rest, faults and all: what clients ask, the executions that start, the events of their ends, and the janitor. */
import { Conflict } from '../../../core/errors.ts';
import type { Caller } from '../../../core/identity/caller.ts';
import { cancelImport } from '../../../core/imports/cancel.ts';
import { handler as drop } from '../../../functions/events/drop.ts';
import { handler as importEnded } from '../../../functions/events/import-ended.ts';
import { handler as janitor } from '../../../functions/events/janitor.ts';
import type { StateMachine } from '../../../workflows/asl.ts';
import { callerWith } from '../caller.ts';
import type { Around } from '../memory/execution.ts';
import { type ImportRig, importRig } from '../memory/imports.ts';
import { violations } from './accounts.ts';
import { PROJECT } from './cast.ts';
import type { Moment, Stage } from './kinds.ts';
import { type Snapshot, snapshotOf } from './snapshot.ts';
import { type Worker, watched, work } from './worker.ts';

/** What happens to a service, without any fault. */
export interface Scenario {
  readonly config?: Readonly<Record<string, unknown>>;
  /** What is staged is cut into parts of at most so many bytes; default: S3's. */
  readonly partBytes?: number;
  readonly machine?: StateMachine;
  /** Seconds of work that a function takes on; more goes to a container. */
  readonly functionSeconds?: string;
  /** Who asks; default: a member. */
  readonly caller?: Partial<Caller>;
  /** What was there before. */
  readonly before: (rig: ImportRig) => Promise<void>;
  /** What is asked. */
  readonly asked: (stage: Actor) => Promise<void>;
  /** States, events and requests that faults strike here; default: all that are reached. */
  readonly struck?: readonly string[];
  /** Around each call of a step, beside the faults. */
  readonly meanwhile?: (actor: Actor) => Around;
  /** When all is at rest, before it is looked at. */
  readonly rested?: () => void;
}

/** Who asks, during a play. */
export interface Actor {
  readonly rig: ImportRig;
  readonly caller: Caller;
  /** A request of a client, who asks again when there was no answer. */
  request(name: string, run: () => Promise<unknown>): Promise<void>;
  /** An event, which comes again when its function failed, twice. */
  event(name: EventName, detail: object): Promise<void>;
}

export type EventName = keyof typeof EVENTS;
/** The functions that no workflow calls. */
export const EVENTS = { drop, 'import-ended': importEnded, janitor } as const;

export interface Played {
  /** States that were entered, and events that came. */
  readonly reached: ReadonlySet<string>;
  /** By state, event or request that was called: most writes of one call. */
  readonly writes: ReadonlyMap<string, number>;
  readonly end: Snapshot;
  /** What must not be, one sentence each. */
  readonly violations: readonly string[];
  /** The same shortly before what a cancelled import has left goes; absent where nothing is kept. */
  readonly kept?: { readonly end: Snapshot; readonly violations: readonly string[] };
  /** Of what was asked, or came as an event, and failed in every attempt. */
  readonly failures: readonly string[];
}

/** Of an event's function: two more after a failure. A client is as patient. */
const ATTEMPTS = 4;
/** An invocation that never began counts as none: Lambda keeps an event for six hours (Lambda developer guide, "Asynchronous invocation"). */
const THROTTLED = 'Lambda.TooManyRequestsException';
/** Rounds of the janitor: the last thing to wait for is a tombstone of 20 minutes. */
const MAX_ROUNDS = 60;
const MINUTE_MS = 60_000;

/** @param disturb makes the fault; absent: nothing goes wrong */
export async function play(scenario: Scenario, disturb?: (stage: Stage) => Around): Promise<Played> {
  const { partBytes } = scenario;
  const parts = partBytes === undefined ? {} : { minPartBytes: partBytes, maxPartBytes: partBytes };
  const rig = importRig(scenario.config, parts);
  rig.deps.projects.set(PROJECT, { id: PROJECT, name: PROJECT, domainId: 'default', enabled: true });
  await scenario.before(rig);
  await rig.deps.usage.reset(PROJECT, await rig.deps.imageList.usageOf(PROJECT), Number.MAX_SAFE_INTEGER);
  watched(rig);
  const theatre = openTheatre(rig, scenario, disturb);
  const before = process.env['GLIMPSE_FUNCTION_SECONDS'];
  if (scenario.functionSeconds !== undefined) process.env['GLIMPSE_FUNCTION_SECONDS'] = scenario.functionSeconds;
  try {
    await scenario.asked(theatre.actor);
    await theatre.toRest();
    scenario.rested?.();
  } finally {
    if (before === undefined) delete process.env['GLIMPSE_FUNCTION_SECONDS'];
    else process.env['GLIMPSE_FUNCTION_SECONDS'] = before;
  }
  const { reached, writes, failures, kept } = theatre;
  return {
    ...(kept.length === 0 ? {} : { kept: kept[0] }),
    reached,
    writes,
    failures,
    end: await snapshotOf(rig),
    violations: await violations(rig),
  };
}

function openTheatre(rig: ImportRig, scenario: Scenario, disturb: ((stage: Stage) => Around) | undefined) {
  const { deps } = rig;
  const reached = new Set<string>();
  const writes = new Map<string, number>();
  const unwaited: Promise<unknown>[] = [];
  const over = Promise.withResolvers<void>();
  const running = new Map<string, AbortController>();
  const stage: Stage = {
    over: over.promise,
    track: (done) => void unwaited.push(done.catch(() => undefined)),
    endExecution: () => {
      for (const controller of running.values()) controller.abort();
    },
    cancel: async (taskId) => {
      const caller = callerWith({ projectId: PROJECT });
      await work(() => cancelImport(deps, caller, taskId)).done.catch((error: unknown) => {
        if (!(error instanceof Conflict)) throw error; // it has ended
      });
    },
  };
  const faulty = disturb?.(stage);
  const around: Around = async (call, run) => {
    reached.add(call.state);
    if (faulty !== undefined) return faulty(call, run);
    const { worker, done } = work(run);
    return done.finally(() => note(call.state, worker));
  };
  const note = (state: string, { writes: made }: Worker) => writes.set(state, Math.max(made, writes.get(state) ?? 0));
  const failures: string[] = [];
  const kept: NonNullable<Played['kept']>[] = [];
  const insist = async (state: string, event: object, run: () => Promise<unknown>): Promise<void> => {
    for (let attempt = 1, failed = 0; failed < ATTEMPTS; attempt++) {
      try {
        await around({ state, step: state, event: { ...event }, attempt }, run);
        return;
      } catch (error) {
        if ((error as Error).name === THROTTLED) continue;
        failed += 1;
        if (failed === ATTEMPTS) failures.push(`${state}: ${(error as Error).message}`);
      }
    }
  };
  const actor: Actor = {
    rig,
    caller: callerWith({ projectId: PROJECT, ...scenario.caller }),
    request: (name, run) => insist(name, {}, run),
    event: async (name, detail) => {
      const event = { detail };
      await insist(name, event, () =>
        (EVENTS[name].on as (d: typeof deps, e: unknown) => Promise<unknown>)(deps, event),
      );
    },
  };
  const meanwhile = scenario.meanwhile?.(actor);
  rig.around = meanwhile === undefined ? around : (call, run) => meanwhile(call, () => around(call, run));
  const stop = deps.workflows.stop;
  Object.assign(deps, {
    workflows: Object.assign(Object.create(deps.workflows), {
      stop: async (taskId: string, cause: string) => {
        running.get(taskId)?.abort();
        await stop(taskId, cause);
      },
    }),
  });

  const driven = new Set<string>();
  const runStarted = async (): Promise<void> => {
    for (const taskId of deps.started.filter((id) => !driven.has(id))) {
      driven.add(taskId);
      const controller = new AbortController();
      running.set(taskId, controller);
      const { status, cause, states } = await rig.run(taskId, {
        signal: controller.signal,
        ...(scenario.machine === undefined ? {} : { machine: scenario.machine }),
      });
      for (const state of states) reached.add(state);
      running.delete(taskId);
      deps.executions.set(taskId, status);
      if (status !== 'SUCCEEDED') await actor.event('import-ended', { name: taskId, status, cause: cause ?? null });
    }
  };
  const toRest = async (): Promise<void> => {
    await runStarted();
    over.resolve();
    await Promise.allSettled(unwaited);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const [next] = await deps.duties.due(Number.MAX_SAFE_INTEGER, 1);
      if (next === undefined) break;
      if (next.kind === 'kept') kept.push({ end: await snapshotOf(rig), violations: await violations(rig) });
      deps.time.nowMs = Math.max(deps.time.nowMs + MINUTE_MS, next.dueAtMs);
      await actor.event('janitor', {});
      await runStarted();
      await Promise.allSettled(unwaited);
    }
  };
  return { actor, reached, writes, failures, kept, toRest };
}

/** The moments of a state's calls that a fault may strike, by how many writes these make: the first write, the middle one, the last one. */
export function momentsOf(at: readonly ('before' | 'during' | 'after')[], writes: number): readonly Moment[] {
  const during = writes === 0 ? [] : [...new Set([1, Math.ceil(writes / 2), writes])];
  return at.flatMap((when): readonly Moment[] => (when === 'during' ? during : [when]));
}
