/**
 * An interpreter of Amazon States Language with JSONPath. A run is a loop over the table of states; what a type of state does
 * is in states.ts. It keeps nothing: executions, their names and their durability are in executions.ts.
 */
import type { Json } from '../wire/json.ts';
import type { Machine, Retrier, State } from './definition.ts';
import { place } from './input-output.ts';
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
    const entered = run.trail.last;
    const { output, next } = await runState(name, state, action, current, run).catch((error) => {
      throw said(error, name, entered);
    });
    const text = bounded(output, name);
    run.trail.add(`${state.Type}StateExited`, { name, output: text });
    if (next === undefined) return output;
    name = next;
    current = output;
  }
}

/** States that may be tried again. */
const RETRIED = new Set(['Task', 'Map', 'Parallel']);

async function runState(name: string, state: State, action: Action, input: Json, run: Run): Promise<Outcome> {
  const enteredTime = new Date().toISOString();
  const used = new Map<Retrier, number>();
  for (let retries = 0; ; retries++) {
    const retryCount = RETRIED.has(state.Type) ? { RetryCount: retries } : {};
    const context = { ...run.context, State: { EnteredTime: enteredTime, Name: name, ...retryCount } };
    const scope: Scope = { input, context };
    try {
      return await action(state, scope, run, name);
    } catch (caught) {
      const error = toStateError(caught);
      const waitSeconds = retryAfter(state, error, used);
      if (waitSeconds === undefined) {
        if (error.event !== undefined) run.trail.add(error.event, undefined, true);
        return recover(state, scope, error);
      }
      await delay(waitSeconds * 1000 * run.waitScale, run.signal);
    }
  }
}

/** What a state does wrong by itself is said with its name, once. */
function said(caught: unknown, name: string, entered: number): unknown {
  const error = toStateError(caught);
  const where = 'An error occurred while executing the state';
  if (error.error !== 'States.Runtime' || error.causeText?.startsWith(where)) return error;
  return error.as({ causeText: `${where} '${name}' (entered at the event id #${entered}). ${error.causeText ?? ''}` });
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
  return { output: place(catcher.ResultPath, scope.input, error.report), next: catcher.Next };
}
