/** What can become of a call: each kind of fault as what stands around the call that it strikes. */
import { BackendUnavailable, Throttled } from '../../../core/errors.ts';
import type { Around, StepCall } from '../memory/execution.ts';
import { type Strike, type Worker, work } from './worker.ts';

/** When a fault strikes: before the call begins its work, when so many of its writes took effect, or when it has ended. */
export type Moment = 'before' | 'after' | number;

/** What a fault may do to the play around it. */
export interface Stage {
  /** Resolves when everything that was called and waited for has ended: then replaced workers wake. */
  readonly over: Promise<void>;
  /** Work that nobody waits for: the play ends after it. */
  track(done: Promise<unknown>): void;
  /** Stops the execution under way; what it called goes on. */
  endExecution(): void;
  /** A client cancels an import, unless it has ended. */
  cancel(taskId: string): Promise<void>;
}

export interface Kind {
  readonly at: readonly ('before' | 'during' | 'after')[];
  /** `same`: everything ends as if nothing had been; `accounted`: or as if it had not been asked for. */
  readonly end: 'same' | 'accounted';
  /** Of requests: a process that holds one would keep others of its image waiting. */
  readonly notForRequests?: true;
  readonly strike: (moment: Moment, stage: Stage) => Struck;
}

/** What happens to a call of those that may be struck, by how often its like was before, counted from 1. */
type Struck = (call: StepCall, run: () => Promise<unknown>, time: number) => Promise<unknown>;

const isDuring = (moment: Moment): moment is number => typeof moment === 'number';
const away = () => new BackendUnavailable('the platform is away');
const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });
/** The platform knows nothing of the call any more (developer guide of Step Functions, "Handling errors"). */
const lost = () => named('Lambda.Unknown', 'the call came to no end');
const refused = () => named('Lambda.TooManyRequestsException', 'Rate Exceeded.');

const after = (at: number, how: Strike['how']): Strike => ({ at, when: 'after', how });

/** The call begins, and is lost to who waits for it at the moment; what then becomes of its worker, `fate` says. */
function lostAt(
  moment: number,
  run: () => Promise<unknown>,
  { stage, fate, more = [] }: { stage: Stage; fate: (worker: Worker) => Promise<void>; more?: readonly Strike[] },
): Promise<unknown> {
  const struck = Promise.withResolvers<never>();
  struck.promise.catch(() => undefined);
  const { done } = work(run, [
    after(moment, async (worker) => {
      struck.reject(lost());
      await fate(worker);
    }),
    ...more,
  ]);
  stage.track(done);
  return Promise.race([struck.promise, done]);
}

const goesOn = async (): Promise<void> => undefined;
const dies = async (worker: Worker): Promise<void> => worker.die();

/** The platform goes away at a moment of a call, whatever the call has done by then. */
async function fails(moment: Moment, run: () => Promise<unknown>): Promise<unknown> {
  if (moment === 'before') throw away();
  if (isDuring(moment)) return work(run, [after(moment, () => Promise.reject(away()))]).done;
  await run();
  throw away();
}

/** How often a call is refused before there is room. */
const REFUSALS = 3;

export const KINDS: Readonly<Record<string, Kind>> = {
  'fails once': {
    at: ['before', 'during', 'after'],
    end: 'same',
    strike: (moment) => async (_, run, time) => {
      if (time > 1) return run();
      return fails(moment, run);
    },
  },
  'is lost, and goes on': {
    at: ['before', 'during', 'after'],
    end: 'same',
    strike: (moment, stage) => async (_, run, time) => {
      if (time > 1) return run();
      if (isDuring(moment)) return lostAt(moment, run, { stage, fate: goesOn });
      const { done } = work(run);
      stage.track(done);
      if (moment === 'after') await done;
      throw lost();
    },
  },
  'is lost, and goes on when all is over': {
    at: ['before', 'during'],
    end: 'same',
    notForRequests: true,
    strike: (moment, stage) => async (_, run, time) => {
      if (time > 1) return run();
      if (isDuring(moment)) return lostAt(moment, run, { stage, fate: (worker) => worker.standStill(stage.over) });
      stage.track(stage.over.then(() => work(run).done));
      throw lost();
    },
  },
  'is lost, and writes once more when all is over': {
    at: ['before', 'during'],
    end: 'same',
    notForRequests: true,
    strike: (moment, stage) => async (_, run, time) => {
      if (time > 1) return run();
      const more = [after(isDuring(moment) ? moment + 1 : 1, dies)];
      if (isDuring(moment))
        return lostAt(moment, run, { stage, fate: (worker) => worker.standStill(stage.over), more });
      stage.track(stage.over.then(() => work(run, more).done));
      throw lost();
    },
  },
  dies: {
    at: ['during'],
    end: 'same',
    strike: (moment, stage) => async (_, run, time) => {
      if (time > 1 || !isDuring(moment)) return run();
      return lostAt(moment, run, { stage, fate: dies });
    },
  },
  'comes twice': {
    at: ['before', 'during', 'after'],
    end: 'same',
    strike: (moment, stage) => async (_, run, time) => {
      if (time > 1) return run();
      const again = async () => stage.track(work(run).done);
      if (moment === 'before') await again();
      if (isDuring(moment)) return work(run, [after(moment, again)]).done;
      const answer = await run();
      if (moment === 'after') await again();
      return answer;
    },
  },
  'is throttled': {
    at: ['before', 'during'],
    end: 'same',
    strike: (moment) => async (_, run, time) => {
      if (time > REFUSALS) return run();
      if (!isDuring(moment)) throw refused();
      const throttled = () => Promise.reject(new Throttled('The service is asked more than it can take'));
      return work(run, [{ at: moment, when: 'before', how: throttled }]).done;
    },
  },
  'never works': {
    at: ['before', 'during', 'after'],
    end: 'accounted',
    strike: (moment) => async (_, run) => fails(moment, run),
  },
  'works when its execution is ended': {
    at: ['before', 'during', 'after'],
    end: 'accounted',
    strike: (moment, stage) => async (_, run, time) => {
      if (time > 1) return run();
      const end = async () => stage.endExecution();
      if (moment === 'before') await end();
      if (isDuring(moment)) return work(run, [after(moment, end)]).done;
      const answer = await run();
      await end();
      return answer;
    },
  },
};

/** Somebody cancels the import at a moment of a call; whoever works for it then is told nothing, and goes on. */
export const CANCELLATION: Kind = {
  at: ['before', 'during', 'after'],
  end: 'accounted',
  strike: (moment, stage) => async (call, run, time) => {
    if (time > 1) return run();
    const cancel = () => stage.cancel(String(call.event['taskId']));
    if (moment === 'before') await cancel();
    if (isDuring(moment)) return work(run, [after(moment, cancel)]).done;
    const answer = await run();
    if (moment === 'after') await cancel();
    return answer;
  },
};

/** A fault of one kind on the calls of one state, event or request. Each call with its own event is struck once, or as often as the kind says. */
export function fault(state: string, kind: Kind, moment: Moment, stage: Stage): Around {
  const times = new Map<string, number>();
  const strike = kind.strike(moment, stage);
  return (call, run) => {
    if (call.state !== state) return run();
    const line = JSON.stringify(call.event);
    const time = (times.get(line) ?? 0) + 1;
    times.set(line, time);
    return strike(call, run, time);
  };
}
