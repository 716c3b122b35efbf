import type { Json, JsonObject } from '../wire/json.ts';
import type { State } from './definition.ts';
import { effectiveInput, outcome, selectInput } from './input-output.ts';
import { eventResource, type Integration, resourceOf } from './resources.ts';
import { type Action, bounded, delay, type IssuedToken, orAbort, type Run } from './run.ts';
import { StateError, toStateError } from './state-error.ts';
import { evaluate, type Scope } from './template.ts';

/** A task state: calls its resource under the state's time limits and records what AWS records. */
export const task: Action = async (state, scope, run, name) => {
  const target = resourceOf(state.Resource ?? '');
  if (target === undefined)
    throw new StateError('States.Runtime', `the resource ${state.Resource} does not exist here`);
  const limits = limitsOf(state, scope);
  const call = 'functionName' in target ? functionCall(target.functionName) : integrationCall(target.integration);
  return outcome(state, scope, await call({ state, scope, run, name, limits }));
};

interface Limits {
  timeoutSeconds: number | undefined;
  heartbeatSeconds: number | undefined;
}

interface Attempt {
  state: State;
  scope: Scope;
  run: Run;
  name: string;
  limits: Limits;
}

/** Names of the events of one kind of task. */
interface EventNames {
  succeeded: string;
  failed: string;
  timedOut: string;
}

const FUNCTION_EVENTS: EventNames = {
  succeeded: 'LambdaFunctionSucceeded',
  failed: 'LambdaFunctionFailed',
  timedOut: 'LambdaFunctionTimedOut',
};
const TASK_EVENTS: EventNames = { succeeded: 'TaskSucceeded', failed: 'TaskFailed', timedOut: 'TaskTimedOut' };

const functionCall =
  (functionName: string) =>
  ({ state, scope, run, name, limits }: Attempt): Promise<Json> => {
    const input = effectiveInput(state, scope);
    const timeout = limits.timeoutSeconds === undefined ? {} : { timeoutInSeconds: limits.timeoutSeconds };
    const scheduled = { resource: state.Resource ?? '', input: bounded(input, name), ...timeout };
    run.trail.add('LambdaFunctionScheduled', scheduled);
    run.trail.add('LambdaFunctionStarted');
    return recorded(
      FUNCTION_EVENTS,
      {},
      state.Resource ?? '',
      run,
      within(run.ports.invokeFunction(functionName, input), limits, run),
    );
  };

const integrationCall =
  (integration: Integration) =>
  async ({ state, scope, run, name, limits }: Attempt): Promise<Json> => {
    const token = integration.waitsForToken ? run.ports.issueToken() : undefined;
    const known = token === undefined ? scope : withToken(scope, token.token);
    try {
      const parameters = effectiveInput(state, known);
      const resource = eventResource(integration);
      const timeout = limits.timeoutSeconds === undefined ? {} : { timeoutInSeconds: limits.timeoutSeconds };
      const text = bounded(parameters, name);
      run.trail.add('TaskScheduled', { ...resource, region: 'us-east-1', parameters: text, ...timeout });
      run.trail.add('TaskStarted', resource);
      const answer = integration.call(parameters, run.ports);
      const work = token === undefined ? answer : Promise.all([answer, token.result]).then(([, result]) => result);
      return await recorded(TASK_EVENTS, resource, integration.resourceType, run, within(work, limits, run, token));
    } finally {
      token?.drop();
    }
  };

const withToken = (scope: Scope, token: string): Scope => ({
  ...scope,
  context: { ...scope.context, Task: { Token: token } },
});

async function recorded(
  names: EventNames,
  resource: JsonObject,
  by: string,
  run: Run,
  work: Promise<Json>,
): Promise<Json> {
  try {
    const result = await work;
    run.trail.add(names.succeeded, { ...resource, output: bounded(result, by) });
    return result;
  } catch (caught) {
    const error = toStateError(caught);
    const isTimeout = error.error === 'States.Timeout' || error.error === 'States.HeartbeatTimeout';
    run.trail.add(isTimeout ? names.timedOut : names.failed, { ...resource, ...error.details });
    throw error;
  }
}

/** Waits for the work under the state's limits. The work itself is not stopped: a function runs to its own end, as on AWS. */
async function within(work: Promise<Json>, limits: Limits, run: Run, token?: IssuedToken): Promise<Json> {
  const timers = new AbortController();
  const signal = AbortSignal.any([run.signal, timers.signal]);
  const racers: Promise<Json>[] = [orAbort(work, run.signal)];
  if (limits.timeoutSeconds !== undefined) racers.push(timeout(limits.timeoutSeconds, signal));
  if (limits.heartbeatSeconds !== undefined && token !== undefined) {
    racers.push(heartbeat(limits.heartbeatSeconds, token, signal));
  }
  try {
    return await Promise.race(racers);
  } finally {
    timers.abort();
    for (const racer of racers) racer.catch(() => undefined);
  }
}

async function timeout(seconds: number, signal: AbortSignal): Promise<never> {
  await delay(seconds * 1000, signal);
  throw new StateError('States.Timeout', undefined);
}

async function heartbeat(seconds: number, token: IssuedToken, signal: AbortSignal): Promise<never> {
  for (;;) {
    const remainingMs = token.lastHeartbeatMs() + seconds * 1000 - Date.now();
    if (remainingMs <= 0) {
      throw new StateError('States.HeartbeatTimeout', undefined);
    }
    await delay(remainingMs, signal);
  }
}

function limitsOf(state: State, scope: Scope): Limits {
  const selected = selectInput(state, scope);
  return {
    timeoutSeconds: secondsOf(state.TimeoutSeconds, state.TimeoutSecondsPath, selected),
    heartbeatSeconds: secondsOf(state.HeartbeatSeconds, state.HeartbeatSecondsPath, selected),
  };
}

function secondsOf(fixed: number | undefined, path: string | undefined, scope: Scope): number | undefined {
  if (path === undefined) return fixed;
  const value = evaluate(path, scope);
  if (typeof value === 'number' && value > 0) return value;
  throw new StateError('States.Runtime', `${path} is not a positive number of seconds`);
}
