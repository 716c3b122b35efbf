import type { Json } from '../wire/json.ts';
import { holds } from './choice.ts';
import type { State } from './definition.ts';
import { effectiveInput, outcome, selectInput, selectOutput } from './input-output.ts';
import { map } from './map-state.ts';
import { type Action, bounded, delay, type Run } from './run.ts';
import { Aborted, StateError, toStateError } from './state-error.ts';
import { task } from './task-state.ts';
import { evaluate, type Scope } from './template.ts';

const pass: Action = (state, scope) => outcome(state, scope, state.Result ?? effectiveInput(state, scope));

const succeed: Action = (state, scope) => ({
  output: selectOutput(state, scope, selectInput(state, scope).input),
  next: undefined,
});

const fail: Action = (state, scope) => {
  const text = (fixed: string | undefined, path: string | undefined) =>
    path === undefined ? (fixed ?? '') : String(evaluate(path, scope));
  throw new StateError(text(state.Error, state.ErrorPath), text(state.Cause, state.CausePath));
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
  const seconds = state.SecondsPath === undefined ? state.Seconds : evaluate(state.SecondsPath, scope);
  if (typeof seconds === 'number') return seconds * 1000;
  const timestamp = state.TimestampPath === undefined ? state.Timestamp : evaluate(state.TimestampPath, scope);
  const at = Date.parse(String(timestamp));
  if (Number.isNaN(at)) throw new StateError('States.Runtime', 'the Wait state has no valid time to wait for');
  return at - Date.now();
}

const parallel: Action = async (state, scope, run, name) => {
  const input = effectiveInput(state, scope);
  run.trail.add('ParallelStateStarted');
  const result = await runBranches(state, input, run);
  bounded(result, name);
  run.trail.add('ParallelStateSucceeded');
  return outcome(state, scope, result);
};

async function runBranches(state: State, input: Json, run: Run): Promise<Json[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([run.signal, stop.signal]);
  let failure: StateError | undefined;
  const branches = (state.Branches ?? []).map(async (branch): Promise<Json> => {
    try {
      return await run.sub(branch, input, { ...run, signal, trail: run.trail.fork() });
    } catch (error) {
      if (!(error instanceof Aborted)) failure ??= toStateError(error);
      stop.abort();
      return null;
    }
  });
  const results = await Promise.all(branches);
  if (run.signal.aborted) throw new Aborted();
  if (failure === undefined) return results;
  run.trail.add('ParallelStateFailed', { error: failure.error, cause: failure.causeText }, true);
  throw failure;
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
