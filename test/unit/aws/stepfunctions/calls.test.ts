/** What an execution's history says of its calls, as Step Functions writes it down. */
import { expect, test } from 'vitest';
import { oldestCallMs } from '../../../../aws/stepfunctions/calls.ts';
import type { Machine } from '../../../../local/stepfunctions/definition.ts';
import { type HistoryEvent, trail } from '../../../../local/stepfunctions/history.ts';
import { runMachine } from '../../../../local/stepfunctions/interpreter.ts';
import { StateError } from '../../../../local/stepfunctions/state-error.ts';
import type { Json } from '../../../../local/wire/json.ts';

const step = (fn: string) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Parameters: { FunctionName: fn },
  Retry: [{ ErrorEquals: ['Lambda.TooManyRequestsException'], IntervalSeconds: 3_600, MaxAttempts: 9 }],
  End: true,
});
const branch = (fn: string) => ({ StartAt: fn, States: { [fn]: step(fn) } });

/** What stands in the history while each branch of a parallel state calls a function. */
async function historyOf(
  functions: readonly string[],
  invokeFunction: (name: string) => Promise<Json>,
): Promise<Parameters<typeof oldestCallMs>[0]> {
  const events: HistoryEvent[] = [];
  const stop = new AbortController();
  const machine = {
    StartAt: 'All',
    States: { All: { Type: 'Parallel', Branches: functions.map(branch), End: true } },
  } as unknown as Machine;
  const unused = (): never => {
    throw new Error('no state does this');
  };
  const ports = { invokeFunction, runContainer: unused, putEvents: unused, issueToken: unused };
  const context = { Execution: { Id: 'arn:aws:states:us-east-1:1:execution:machine:one', Name: 'one', Input: {} } };
  const run = { ports, signal: stop.signal, trail: trail(events), context, waitScale: 1, sub: runMachine };
  const ended = runMachine(machine, {}, run).catch(() => undefined);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const seen = events.map(({ timestamp, ...event }) => ({ ...event, timestamp: new Date(timestamp * 1000) }));
  stop.abort();
  await ended;
  return seen as Parameters<typeof oldestCallMs>[0];
}

const forEver = (): Promise<Json> => new Promise(() => undefined);
const noRoom = async (): Promise<Json> => {
  throw new StateError('Lambda.TooManyRequestsException', 'Rate Exceeded.');
};

test('a call that has not ended is under way since it began', async () => {
  const beforeMs = Date.now();
  const since = oldestCallMs(await historyOf(['one'], forEver));

  expect(since).toBeGreaterThanOrEqual(Math.floor(beforeMs));
  expect(since).toBeLessThanOrEqual(Date.now());
});

test('a call that found no room is not under way until it is made again', async () => {
  expect(oldestCallMs(await historyOf(['one'], noRoom))).toBeUndefined();
});

test('the oldest of several branches counts', async () => {
  const events = await historyOf(['waits', 'works', 'done'], (name) =>
    name === 'works' ? forEver() : name === 'waits' ? noRoom() : Promise.resolve({}),
  );

  expect(oldestCallMs(events)).toBeDefined();
  expect(events.filter(({ type }) => type === 'TaskStarted')).toHaveLength(3);
});
