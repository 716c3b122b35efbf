/**
 * An interpreter of Amazon States Language with JSONPath. A run is a loop over the table of states; what a type of state does
 * is in states.ts. It keeps nothing: executions, their names and their durability are in executions.ts.
 */
import type { Json } from '../wire/json.ts';
import type { Machine, Retrier, State } from './definition.ts';
import { place, selectOutput } from './input-output.ts';
import { type Action, bounded, delay, type Outcome, type Run } from './run.ts';
import { Aborted, matchesError, StateError, toStateError } from './state-error.ts';
import { ACTIONS } from './states.ts';
import type { Scope } from './template.ts';

/** Runs a machine from its start to its end and returns its output. Throws StateError when it fails, Aborted when stopped. */
export async function runMachine(machine: Machine, input: Json, run: Run): Promise<Json> {
  let name = machine.StartAt;
  let current = input;
  for (;;) {
    if (run.signal.aborted) throw new Aborted();
    const state = machine.States[name];
    const action = ACTIONS.get(state?.Type ?? '');
    if (state === undefined || action === undefined) {
      throw new StateError('States.Runtime', `there is no state '${name}' that can run`);
    }
    run.trail.add(`${state.Type}StateEntered`, { name, input: bounded(current, name) });
    const { output, next } = await runState(name, state, action, current, run);
    const text = bounded(output, name);
    run.trail.add(`${state.Type}StateExited`, { name, output: text });
    if (next === undefined) return output;
    name = next;
    current = output;
  }
}

async function runState(name: string, state: State, action: Action, input: Json, run: Run): Promise<Outcome> {
  const enteredTime = new Date().toISOString();
  const used = new Map<Retrier, number>();
  for (let retries = 0; ; retries++) {
    const context = { ...run.context, State: { EnteredTime: enteredTime, Name: name, RetryCount: retries } };
    const scope: Scope = { input, context };
    try {
      return await action(state, scope, run, name);
    } catch (caught) {
      const error = toStateError(caught);
      const waitSeconds = retryAfter(state, error, used);
      if (waitSeconds === undefined) return recover(state, scope, error);
      await delay(waitSeconds * 1000 * run.waitScale, run.signal);
    }
  }
}

/** Seconds until the next attempt, or undefined when no retrier takes the error or its attempts are used up. */
function retryAfter(state: State, error: StateError, used: Map<Retrier, number>): number | undefined {
  const retrier = state.Retry?.find((candidate) => matchesError(candidate, error.error));
  if (retrier === undefined) return undefined;
  const count = used.get(retrier) ?? 0;
  if (count >= (retrier.MaxAttempts ?? 3)) return undefined;
  used.set(retrier, count + 1);
  const grown = (retrier.IntervalSeconds ?? 1) * (retrier.BackoffRate ?? 2) ** count;
  const capped = Math.min(grown, retrier.MaxDelaySeconds ?? Number.POSITIVE_INFINITY);
  return retrier.JitterStrategy === 'FULL' ? Math.random() * capped : capped;
}

function recover(state: State, scope: Scope, error: StateError): Outcome {
  const catcher = state.Catch?.find((candidate) => matchesError(candidate, error.error));
  if (catcher === undefined) throw error;
  const report = { Error: error.error, Cause: error.causeText };
  const combined = place(catcher.ResultPath, scope.input, report);
  return { output: selectOutput(state, scope, combined), next: catcher.Next };
}
