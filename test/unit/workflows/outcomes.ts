/** Follows failures through a definition: by which Retry and Catch each state meets each name, and where that ends. */
import type { Catcher, Retrier, State, StateMachine, States } from '../../../workflows/asl.ts';

/** Amazon States Language, "Error names"; AWS: neither is covered by `States.ALL`, and `States.Runtime` by nothing. */
const NOT_ALL = new Set(['States.DataLimitExceeded', 'States.Runtime']);
const NOT_TASK_FAILED = new Set([...NOT_ALL, 'States.Timeout']);
/** From here on it is waiting, not trying again, seconds at the longest delays. */
const WAITS_SECONDS = 3_600;

/** The name under which a failed child ends a distributed map. */
const CHILD_FAILED = 'States.ExceedToleratedFailureThreshold';
const EVENT = 'the event of a failed execution';

interface Enclosing {
  readonly state: State;
  readonly isDistributed: boolean;
}

/**
 * Of every task state, at any depth: by name of a failure, what becomes of it: `retry` or `wait` (for an hour or more) when it is tried
 * again first, then the state that catches it, or the event of a failed execution where none does.
 */
export function outcomesOf(
  { States: states }: StateMachine,
  names: { readonly functions: readonly string[]; readonly containers: readonly string[] },
): Record<string, Record<string, string>> {
  const found: Record<string, Record<string, string>> = {};
  walk(states, [], (name, state, enclosing) => {
    if (state.Type !== 'Task') return;
    const possible = state.Resource.includes(':ecs:') ? names.containers : names.functions;
    found[name] = Object.fromEntries(possible.map((error) => [error, outcome(error, state, enclosing)]));
  });
  return found;
}

function walk(
  states: States,
  enclosing: readonly Enclosing[],
  visit: (name: string, state: State, enclosing: readonly Enclosing[]) => void,
): void {
  for (const [name, state] of Object.entries(states)) {
    visit(name, state, enclosing);
    if (state.Type === 'Map') {
      const isDistributed = state.ItemProcessor.ProcessorConfig?.Mode === 'DISTRIBUTED';
      walk(state.ItemProcessor.States, [{ state, isDistributed }, ...enclosing], visit);
    }
    if (state.Type === 'Parallel') {
      for (const branch of state.Branches) walk(branch.States, [{ state, isDistributed: false }, ...enclosing], visit);
    }
  }
}

function outcome(error: string, state: State, enclosing: readonly Enclosing[]): string {
  const retrier = 'Retry' in state ? state.Retry?.find((rule) => matches(rule, error)) : undefined;
  const end = caughtBy(error, state, enclosing);
  if (retrier === undefined || retrier.MaxAttempts === 0 || error === 'States.Runtime') return end;
  return `${secondsOf(retrier) >= WAITS_SECONDS ? 'wait' : 'retry'}, then ${end}`;
}

function caughtBy(error: string, state: State, [next, ...others]: readonly Enclosing[]): string {
  const catcher = 'Catch' in state ? state.Catch?.find((rule) => matches(rule, error)) : undefined;
  if (catcher !== undefined && error !== 'States.Runtime') return catcher.Next;
  if (next === undefined) return EVENT;
  return caughtBy(next.isDistributed ? CHILD_FAILED : error, next.state, others);
}

function matches({ ErrorEquals }: Retrier | Catcher, error: string): boolean {
  return ErrorEquals.some(
    (name) =>
      name === error ||
      (name === 'States.ALL' && !NOT_ALL.has(error)) ||
      (name === 'States.TaskFailed' && !NOT_TASK_FAILED.has(error)),
  );
}

/** Of all attempts, at the longest delays. Defaults of the Amazon States Language, "Retrying after error". */
function secondsOf({ IntervalSeconds = 1, MaxAttempts = 3, BackoffRate = 2, MaxDelaySeconds }: Retrier): number {
  let sum = 0;
  for (let attempt = 0; attempt < MaxAttempts; attempt++)
    sum += Math.min(IntervalSeconds * BackoffRate ** attempt, MaxDelaySeconds ?? Number.POSITIVE_INFINITY);
  return sum;
}
