import { randomUUID } from 'node:crypto';
import { AwsError } from '../wire/aws-error.ts';
import type { Json } from '../wire/json.ts';
import type { IssuedToken } from './run.ts';
import { StateError } from './state-error.ts';

interface Waiting {
  resolve(output: Json): void;
  reject(error: StateError): void;
  beatAtMs: number;
}

/** Task tokens that states wait for. They live as long as the process: a re-driven execution issues new ones. */
export interface TaskTokens {
  issue(): IssuedToken;
  succeed(token: string, output: Json): void;
  fail(token: string, error: string, cause: string): void;
  heartbeat(token: string): void;
}

/** Makes an empty register of task tokens. */
export function taskTokens(): TaskTokens {
  const waiting = new Map<string, Waiting>();
  const find = (token: string): Waiting => {
    const entry = waiting.get(token);
    if (entry === undefined) throw new AwsError('TaskTimedOut', 'nothing waits for this task token any more');
    return entry;
  };
  return {
    issue: () => {
      const token = randomUUID();
      const { promise, resolve, reject } = Promise.withResolvers<Json>();
      promise.catch(() => undefined);
      const entry: Waiting = { resolve, reject, beatAtMs: Date.now() };
      waiting.set(token, entry);
      return { token, result: promise, lastHeartbeatMs: () => entry.beatAtMs, drop: () => waiting.delete(token) };
    },
    succeed: (token, output) => {
      find(token).resolve(output);
      waiting.delete(token);
    },
    fail: (token, error, cause) => {
      find(token).reject(new StateError(error, cause));
      waiting.delete(token);
    },
    heartbeat: (token) => {
      find(token).beatAtMs = Date.now();
    },
  };
}
