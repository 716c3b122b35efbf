import type { Json } from '../wire/json.ts';
import { holds, isTimestamp } from './choice.ts';
import type { State } from './definition.ts';
import type { Trail } from './history.ts';
import { effectiveInput, outcome, selectInput, selectOutput } from './input-output.ts';
import { map } from './map-state.ts';
import { type Action, bounded, delay, type Run } from './run.ts';
import { Aborted, StateError, toStateError } from './state-error.ts';
import { task } from './task-state.ts';
import { evaluate, find, type Scope } from './template.ts';

/** The longest time that a Wait state can wait for, about 24,855 days. */
const MAX_WAIT_MS = (2 ** 31 - 1) * 1000;

const pass: Action = (state, scope) => outcome(state, scope, state.Result ?? effectiveInput(state, scope));

const succeed: Action = (state, scope) => ({
  output: selectOutput(state, scope, selectInput(state, scope).input),
  next: undefined,
});

const fail: Action = (state, scope) => {
  const text = (field: 'Error' | 'Cause'): string | undefined => {
    const path = state[`${field}Path`];
    return path === undefined ? state[field] : String(evaluate(path, scope, `${field}Path`));
  };
  throw new StateError(text('Error'), text('Cause'));
};

const choice: Action = (state, scope) => {
  const selected = selectInput(state, scope);
  const rule = state.Choices?.find((candidate) => holds(candidate, selected));
  const next = rule === undefined ? state.Default : String(rule['Next']);
  if (next === undefined)
    throw new StateError('States.NoChoiceMatched', 'No rule of the Choice state matched its input');
  return { output: selectOutput(state, scope, selected.input), next };
};

const wait: Action = async (state, scope, run) => {
  const selected = selectInput(state, scope);
  await delay(waitMs(state, selected) * run.waitScale, run.signal);
  return { output: selectOutput(state, scope, selected.input), next: state.Next };
};

function waitMs(state: State, scope: Scope): number {
  if (state.SecondsPath !== undefined) return secondsAt(state.SecondsPath, scope) * 1000;
  if (state.Seconds !== undefined) return state.Seconds * 1000;
  const path = state.TimestampPath;
  const timestamp = path === undefined ? state.Timestamp : evaluate(path, scope);
  if (isTimestamp(timestamp ?? null)) return waitable(Date.parse(String(timestamp)) - Date.now());
  const text = `does not reference a valid ISO-8601 extended offset date-time format string: ${path} == ${String(timestamp)}`;
  throw new StateError('States.Runtime', `The TimestampPath parameter ${text}`);
}

function secondsAt(path: string, scope: Scope): number {
  const refuse = (text: string): never => {
    throw new StateError('States.Runtime', `The SecondsPath parameter ${text}`);
  };
  const seconds = find(path, scope);
  if (seconds === undefined) return refuse(`does not reference an input value: ${path}`);
  if (!Number.isInteger(seconds))
    return refuse(`cannot be parsed as a long value: ${path} == ${JSON.stringify(seconds)}`);
  if (Number(seconds) < 0) return refuse(`references a negative value: ${path} == ${String(seconds)}`);
  return Number(seconds);
}

/** AWS counts the seconds of a wait in milliseconds in 31 bits. */
function waitable(ms: number): number {
  if (ms <= MAX_WAIT_MS) return ms;
  throw new StateError('States.Runtime', 'Wait state delay is too long.');
}

const parallel: Action = async (state, scope, run, name) => {
  const input = effectiveInput(state, scope);
  run.trail.add('ParallelStateStarted');
  const result = await runBranches(state, input, run);
  bounded(result, name);
  run.trail.note('ParallelStateSucceeded');
  return outcome(state, scope, result);
};

async function runBranches(state: State, input: Json, run: Run): Promise<Json[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([run.signal, stop.signal]);
  let failure: StateError | undefined;
  const ended: Trail[] = [];
  const branches = (state.Branches ?? []).map(async (branch): Promise<Json> => {
    const line = run.trail.fork();
    try {
      const output = await run.sub(branch, input, { ...run, signal, trail: line });
      ended.push(line);
      return output;
    } catch (error) {
      if (!(error instanceof Aborted) && failure === undefined) {
        failure = toStateError(error);
        run.trail.join(line);
      }
      stop.abort();
      return null;
    }
  });
  const results = await Promise.all(branches);
  if (run.signal.aborted) throw new Aborted();
  if (failure !== undefined) throw failure.as({ event: 'ParallelStateFailed' });
  const last = ended.at(-1);
  if (last !== undefined) run.trail.join(last);
  return results;
}

/** The behaviour of each type of state. A new type is one entry here. */
export const ACTIONS: ReadonlyMap<string, Action> = new Map([
  ['Task', task],
  ['Pass', pass],
  ['Choice', choice],
  ['Wait', wait],
  ['Succeed', succeed],
  ['Fail', fail],
  ['Parallel', parallel],
  ['Map', map],
]);
