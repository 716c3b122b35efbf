import type { Json, JsonObject } from '../wire/json.ts';
import type { Machine, State } from './definition.ts';
import type { Trail } from './history.ts';
import { Aborted, StateError } from './state-error.ts';
import type { Scope } from './template.ts';

/** Largest input or output of a state in bytes, as on AWS. */
const STATE_LIMIT = 262_144;
/** The longest delay that a Node timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What states need of the outside. Each call rejects with a StateError that carries the error name of AWS. */
export interface TaskPorts {
  invokeFunction(name: string, payload: Json): Promise<Json>;
  runContainer(taskDefinition: string, overrides: JsonObject): Promise<Json>;
  putEvents(entries: Json): Promise<Json>;
  /** Issues a task token; `result` settles when somebody calls SendTaskSuccess or SendTaskFailure. */
  issueToken(): IssuedToken;
}

/** A task token that is waited for. */
export interface IssuedToken {
  token: string;
  result: Promise<Json>;
  /** Milliseconds since the epoch of the last heartbeat (or of the start). */
  lastHeartbeatMs(): number;
  /** Forgets the token: later calls with it get TaskTimedOut. */
  drop(): void;
}

/** One line of execution: the whole machine, a branch or an iteration. */
export interface Run {
  readonly ports: TaskPorts;
  readonly signal: AbortSignal;
  readonly trail: Trail;
  /** The context object `$$` without `State`. */
  readonly context: JsonObject;
  /** Factor on Wait states and retry delays: below 1 in tests. */
  readonly waitScale: number;
  /** Runs a sub-machine to its end and returns its output. */
  readonly sub: (machine: Machine, input: Json, run: Run) => Promise<Json>;
}

/** What a state yields: its output and the state that follows, undefined at the end. */
export interface Outcome {
  output: Json;
  next: string | undefined;
}

/** The behaviour of one type of state. */
export type Action = (state: State, scope: Scope, run: Run, name: string) => Outcome | Promise<Outcome>;

/** The JSON text of a state's input or output. Throws `States.DataLimitExceeded` above 256 KiB. */
export function bounded(value: Json, name: string): string {
  const text = JSON.stringify(value);
  if (text.length * 3 > STATE_LIMIT && Buffer.byteLength(text) > STATE_LIMIT) {
    const cause = `The state/task '${name}' returned a result with a size exceeding the maximum number of bytes service limit.`;
    throw new StateError('States.DataLimitExceeded', cause);
  }
  return text;
}

/** Settles as `promise`, or rejects with Aborted as soon as the signal fires; what it waited for goes on by itself. */
export function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new Aborted());
    if (signal.aborted) {
      stop();
      promise.catch(() => undefined);
      return;
    }
    signal.addEventListener('abort', stop, { once: true });
    const done = () => signal.removeEventListener('abort', stop);
    promise.then(resolve, reject).finally(done);
  });
}

/** Waits, or rejects with Aborted as soon as the signal fires. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new Aborted());
    };
    const timer = setTimeout(
      () => {
        signal.removeEventListener('abort', stop);
        resolve();
      },
      Math.min(Math.max(0, ms), MAX_TIMER_MS),
    );
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
