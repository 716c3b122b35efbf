import type { Catcher, Retrier } from './definition.ts';

/** What no rule takes, neither by name nor by `States.ALL`: AWS ends the execution. */
const RUNTIME = 'States.Runtime';
/** The error that `States.TaskFailed` does not cover. */
const TIMEOUT = 'States.Timeout';

/** What makes a state fail: an error name to match on, and a cause for people. */
export class StateError extends Error {
  /** The error name, for example `States.Timeout` or the `errorType` of a function. */
  readonly error: string | undefined;
  /** Free text; for a failed function the JSON text of `{errorMessage, errorType}`. */
  readonly causeText: string | undefined;
  /** The event that says it in the history when nothing tries again, for example `MapStateFailed`. */
  readonly event: string | undefined;

  constructor(
    error: string | undefined,
    causeText: string | undefined,
    { event, ...options }: ErrorOptions & { event?: string } = {},
  ) {
    super([error, causeText].filter((text) => text !== undefined).join(': '), options);
    this.name = 'StateError';
    this.error = error;
    this.causeText = causeText;
    this.event = event;
  }

  /** Members of an event or a record: absent when a Fail state has none. */
  get details(): { error?: string; cause?: string } {
    const { error, causeText } = this;
    return { ...(error === undefined ? {} : { error }), ...(causeText === undefined ? {} : { cause: causeText }) };
  }

  /** What a catcher and a tolerated child hand on. */
  get report(): { Error: string; Cause: string } {
    return { Error: this.error ?? '', Cause: this.causeText ?? '' };
  }

  /** The same error as a Map or Parallel state raises it, or as said of a state by name. */
  as(change: { causeText?: string; event?: string }): StateError {
    const event = change.event ?? this.event;
    const options = { cause: this, ...(event === undefined ? {} : { event }) };
    return new StateError(this.error, change.causeText ?? this.causeText, options);
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
export function matchesError(rule: Retrier | Catcher, error: string | undefined): boolean {
  if (error === RUNTIME) return false;
  return rule.ErrorEquals.some(
    (name) => name === 'States.ALL' || (name === 'States.TaskFailed' && error !== TIMEOUT) || name === error,
  );
}
