import type { Catcher, Retrier } from './definition.ts';

/** Errors that `States.ALL` does not cover (Amazon States Language, "Error names"; AWS: DataLimitExceeded is terminal). */
const NOT_CAUGHT_BY_ALL = new Set(['States.DataLimitExceeded', 'States.Runtime']);
/** Errors that `States.TaskFailed` does not cover. */
const NOT_TASK_FAILED = new Set(['States.Timeout', ...NOT_CAUGHT_BY_ALL]);

/** What makes a state fail: an error name to match on, and a cause for people. */
export class StateError extends Error {
  /** The error name, for example `States.Timeout` or the `errorType` of a function. */
  readonly error: string;
  /** Free text; for a failed function the JSON text of `{errorMessage, errorType}`. */
  readonly causeText: string;

  constructor(error: string, causeText: string, options?: ErrorOptions) {
    super(`${error}: ${causeText}`, options);
    this.name = 'StateError';
    this.error = error;
    this.causeText = causeText;
  }
}

/** The execution was stopped or timed out, or a sibling failed: not an error that a state may catch. */
export class Aborted extends Error {
  constructor() {
    super('aborted');
    this.name = 'Aborted';
  }
}

/** Turns anything thrown inside a state into a StateError; passes an abort through. */
export function toStateError(error: unknown): StateError {
  if (error instanceof Aborted) throw error;
  if (error instanceof StateError) return error;
  return new StateError('States.Runtime', error instanceof Error ? error.message : String(error), { cause: error });
}

/** True when the `ErrorEquals` of a retrier or catcher names this error. */
export function matchesError(rule: Retrier | Catcher, error: string): boolean {
  return rule.ErrorEquals.some((name) => {
    if (name === 'States.ALL') return !NOT_CAUGHT_BY_ALL.has(error);
    if (name === 'States.TaskFailed') return !NOT_TASK_FAILED.has(error);
    return name === error;
  });
}
