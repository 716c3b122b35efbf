import {
  CreateStateMachineCommand,
  DeleteStateMachineCommand,
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  DescribeStateMachineCommand,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
  UpdateStateMachineCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorkflows } from '../../aws/stepfunctions/workflows.ts';
import type { Handler } from '../../local/lambda/handler.ts';
import { type FunctionHost, hostFunctions } from '../../local/lambda/runtime.ts';
import { ONE_PROCESS } from '../support/one-process.ts';
import { clientOf, type Running, startProcesses, until } from './processes.ts';

let running: Running;
let sfn: SFNClient;
let host: FunctionHost;
const calls: Record<string, unknown[]> = {};
const failuresLeft = new Map<string, number>();
let release = () => {};
let gauge = { now: 0, peak: 0, full: Promise.withResolvers<void>() };

class DomainError extends Error {
  override name = 'UnsafeImage';
}

const functions: Record<string, Handler> = {
  echo: async (event: unknown) => event,
  add: async (event: { a: number; b: number }) => ({ sum: event.a + event.b }),
  fail: async () => {
    throw new DomainError('backing file');
  },
  flaky: async (event: { key: string; times: number }) => {
    const left = failuresLeft.get(event.key) ?? event.times;
    failuresLeft.set(event.key, left - 1);
    if (left > 0) throw new DomainError(`${left} to go`);
    return 'done';
  },
  hang: async (event: { key: string }) => {
    calls['hang'] = [...(calls['hang'] ?? []), event.key];
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    return 'released';
  },
  token: async (event: { token: string }) => {
    calls['token'] = [...(calls['token'] ?? []), event.token];
    return null;
  },
  large: async () => 'x'.repeat(300_000),
  /** Holds its callers until `width` of them are here at once (or half a minute has passed), and notes the most there were. */
  gauge: async ({ width }: { width: number }) => {
    gauge.now++;
    gauge.peak = Math.max(gauge.peak, gauge.now);
    if (gauge.now >= width) gauge.full.resolve();
    await Promise.race([gauge.full.promise, new Promise((resolve) => setTimeout(resolve, 30_000))]);
    gauge.now--;
    return {};
  },
};

const invoke = (FunctionName: string, Payload: unknown = {}) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Parameters: { FunctionName, Payload },
  ResultSelector: { 'value.$': '$.Payload' },
});

async function register(): Promise<void> {
  await host.register(running.aws.endpoint, { hang: { timeoutSeconds: 60 } });
  const url = host.urlOf('echo');
  await fetch(`${running.aws.endpoint}/_glimpse/containers/worker`, { method: 'PUT', body: JSON.stringify({ url }) });
}

beforeAll(async () => {
  host = await hostFunctions({ functions });
  running = await startProcesses({ waitScale: 0.01, onRestart: () => register() });
  sfn = new SFNClient(clientOf(running.aws.endpoint));
  await register();
});
afterAll(async () => {
  await running.stop();
  await host.close();
});

let machines = 0;
async function machine(definition: object): Promise<string> {
  const created = await sfn.send(
    new CreateStateMachineCommand({
      name: `machine-${machines++}`,
      definition: JSON.stringify(definition),
      roleArn: 'arn:aws:iam::000000000000:role/states',
    }),
  );
  return created.stateMachineArn ?? '';
}

const one = (state: object) => ({ StartAt: 'Only', States: { Only: { ...state, End: true } } });

async function start(stateMachineArn: string, input: unknown = {}, name?: string): Promise<string> {
  const started = await sfn.send(
    new StartExecutionCommand({
      stateMachineArn,
      input: JSON.stringify(input),
      ...(name === undefined ? {} : { name }),
    }),
  );
  return started.executionArn ?? '';
}

const ended = (executionArn: string): Promise<DescribeExecutionOutput> =>
  until(`the end of ${executionArn}`, async () => {
    const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return execution.status !== 'RUNNING' && execution;
  });

async function run(definition: object, input: unknown = {}) {
  const execution = await ended(await start(await machine(definition), input));
  const output: unknown = execution.output === undefined ? undefined : JSON.parse(execution.output);
  return { ...execution, output };
}

async function history(executionArn: string): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  let nextToken: string | undefined;
  do {
    const page = await sfn.send(
      new GetExecutionHistoryCommand({
        executionArn,
        maxResults: 7,
        ...(nextToken === undefined ? {} : { nextToken }),
      }),
    );
    events.push(...(page.events ?? []));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return events;
}

describe('state machines', () => {
  it('are created once per name and definition', async () => {
    const create = (definition: object) =>
      sfn.send(
        new CreateStateMachineCommand({ name: 'twice', definition: JSON.stringify(definition), roleArn: 'arn:role' }),
      );
    const first = await create(one({ Type: 'Pass' }));
    const second = await create(one({ Type: 'Pass' }));

    expect(second.stateMachineArn).toBe(first.stateMachineArn);
    expect(second.creationDate).toEqual(first.creationDate);
    await expect(create(one({ Type: 'Succeed' }))).rejects.toMatchObject({ name: 'StateMachineAlreadyExists' });
  });

  it('are listed, described, updated and deleted', async () => {
    const arn = await machine(one({ Type: 'Pass', Result: 1 }));
    await sfn.send(
      new UpdateStateMachineCommand({
        stateMachineArn: arn,
        definition: JSON.stringify(one({ Type: 'Pass', Result: 2 })),
      }),
    );
    const execution = await ended(await start(arn));
    const listed = await sfn.send(new ListStateMachinesCommand({}));
    await sfn.send(new DeleteStateMachineCommand({ stateMachineArn: arn }));

    expect(execution.output).toBe('2');
    expect(listed.stateMachines?.map((each) => each.stateMachineArn)).toContain(arn);
    await expect(sfn.send(new DescribeStateMachineCommand({ stateMachineArn: arn }))).rejects.toMatchObject({
      name: 'StateMachineDoesNotExist',
    });
  });

  it.each([
    ['an unknown target', { StartAt: 'A', States: { A: { Type: 'Pass', Next: 'B' } } }],
    ['an unknown type', { StartAt: 'A', States: { A: { Type: 'Guess', End: true } } }],
    ['no way out', { StartAt: 'A', States: { A: { Type: 'Pass' } } }],
    ['an unreadable path', one({ Type: 'Pass', InputPath: '$.a[?(@.b)]' })],
    ['an unknown function', one({ Type: 'Pass', Parameters: { 'a.$': 'States.Guess(1)' } })],
    ['an unknown resource', one({ Type: 'Task', Resource: 'arn:aws:states:::sns:publish' })],
    ['JSONata', { QueryLanguage: 'JSONata', ...one({ Type: 'Pass' }) }],
    ['a feature that is not there', one({ Type: 'Map', ItemReader: {}, ItemProcessor: one({ Type: 'Pass' }) })],
  ])('are refused with %s', async (_what, definition) => {
    await expect(machine(definition)).rejects.toMatchObject({ name: 'InvalidDefinition' });
  });
});

describe('executions', () => {
  it('are the same when started again with the same name and input', async () => {
    const arn = await machine(one({ Type: 'Wait', Seconds: 1000 }));
    const first = await start(arn, { a: 1 }, 'named');

    expect(await start(arn, { a: 1 }, 'named')).toBe(first);
    await expect(start(arn, { a: 2 }, 'named')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  });

  it('are listed by status, in pages', async () => {
    const arn = await machine({
      StartAt: 'Choose',
      States: {
        Choose: { Type: 'Choice', Choices: [{ Variable: '$.ok', BooleanEquals: true, Next: 'Fine' }] },
        Fine: { Type: 'Succeed' },
      },
    });
    const all = await Promise.all([true, false, true, true].map((ok) => start(arn, { ok })));
    await Promise.all(all.map(ended));
    const list = (more: object) => sfn.send(new ListExecutionsCommand({ stateMachineArn: arn, ...more }));
    const page = await list({ statusFilter: 'SUCCEEDED', maxResults: 2 });
    const rest = await list({ statusFilter: 'SUCCEEDED', maxResults: 2, nextToken: page.nextToken });

    expect(page.executions?.length).toBe(2);
    expect(rest.executions?.length).toBe(1);
    expect((await list({ statusFilter: 'FAILED' })).executions).toHaveLength(1);
  });

  it('stop promptly while a function goes on', async () => {
    const executionArn = await start(await machine(one(invoke('hang', { key: 'stopped' }))));
    await until('the call', async () => calls['hang']?.includes('stopped'));
    await sfn.send(new StopExecutionCommand({ executionArn, error: 'Cancelled', cause: 'by the user' }));

    expect(await ended(executionArn)).toMatchObject({ status: 'ABORTED', error: 'Cancelled', cause: 'by the user' });
    expect((await history(executionArn)).at(-1)).toMatchObject({ type: 'ExecutionAborted' });
    release();
  });

  it('time out by the machine', async () => {
    const result = await run({ ...one(invoke('hang', { key: 'slow' })), TimeoutSeconds: 0.2 });

    expect(result).toMatchObject({ status: 'TIMED_OUT' });
    release();
  });

  it('that do not exist are named as such', async () => {
    await expect(sfn.send(new DescribeExecutionCommand({ executionArn: 'arn:none' }))).rejects.toMatchObject({
      name: 'ExecutionDoesNotExist',
    });
  });

  it('see their context', async () => {
    const result = await run(
      one({
        Type: 'Pass',
        Parameters: { 'name.$': '$$.Execution.Name', 'input.$': '$$.Execution.Input', 'state.$': '$$.State.Name' },
      }),
      { a: 1 },
    );

    expect(result.output).toEqual({ name: result.name, input: { a: 1 }, state: 'Only' });
  });
});

describe('states', () => {
  it.each([
    [{ Variable: '$.x', IsPresent: false }, {}, 'Yes'],
    [{ Variable: '$.x', IsPresent: false }, { x: null }, 'No'],
    [{ Variable: '$.x', IsNumeric: false }, { x: 'a' }, 'Yes'],
    [{ Not: { Variable: '$.x', NumericGreaterThan: 3 } }, { x: 3 }, 'Yes'],
    [{ Variable: '$.x', StringMatches: 'a*z' }, { x: 'abcz' }, 'Yes'],
    [{ Variable: '$.x', NumericEqualsPath: '$.y' }, { x: 1, y: 1 }, 'Yes'],
    [{ Variable: '$.x', TimestampLessThan: '2026-01-01T00:00:00Z' }, { x: '2025-12-31T23:59:59Z' }, 'Yes'],
    [
      {
        And: [
          { Variable: '$.x', IsPresent: true },
          { Variable: '$.x', StringEquals: 'b' },
        ],
      },
      { x: 'a' },
      'No',
    ],
  ])('choose by %j on %j', async (rule, input, wanted) => {
    const result = await run(
      {
        StartAt: 'Choose',
        States: {
          Choose: { Type: 'Choice', Choices: [{ ...rule, Next: 'Yes' }], Default: 'No' },
          Yes: { Type: 'Pass', Result: 'Yes', End: true },
          No: { Type: 'Pass', Result: 'No', End: true },
        },
      },
      input,
    );

    expect(result.output).toBe(wanted);
  });

  it('call functions by integration and by ARN', async () => {
    const viaArn = one({
      Type: 'Task',
      Resource: 'arn:aws:lambda:us-east-1:000000000000:function:add',
      InputPath: '$.numbers',
      ResultPath: '$.result',
    });

    expect((await run(one(invoke('add', { 'a.$': '$.a', b: 2 })), { a: 1 })).output).toEqual({ value: { sum: 3 } });
    expect((await run(viaArn, { numbers: { a: 1, b: 1 } })).output).toMatchObject({ result: { sum: 2 } });
  });

  it('run containers with their overrides', async () => {
    const result = await run(
      one({
        Type: 'Task',
        Resource: 'arn:aws:states:::ecs:runTask.sync',
        Parameters: {
          TaskDefinition: 'arn:aws:ecs:us-east-1:000000000000:task-definition/worker:3',
          Overrides: {
            ContainerOverrides: [
              { Name: 'worker', Command: ['hash'], Environment: [{ Name: 'ID', 'Value.$': '$.id' }] },
            ],
          },
        },
      }),
      { id: 'x' },
    );

    expect(result.output).toMatchObject({ LastStatus: 'STOPPED', Containers: [{ ExitCode: 0 }] });
  });

  it('retry by error name until it works', async () => {
    const state = {
      ...invoke('flaky', { key: 'retry', times: 2 }),
      Retry: [{ ErrorEquals: ['UnsafeImage'], IntervalSeconds: 1, MaxAttempts: 2, BackoffRate: 1 }],
    };

    expect((await run(one(state))).output).toEqual({ value: 'done' });
  });

  it('catch by error name and keep the input', async () => {
    const result = await run(
      {
        StartAt: 'Try',
        States: {
          Try: {
            ...invoke('fail'),
            Catch: [
              { ErrorEquals: ['Other'], Next: 'Wrong' },
              { ErrorEquals: ['UnsafeImage'], ResultPath: '$.error', Next: 'Caught' },
            ],
            Next: 'Wrong',
          },
          Caught: { Type: 'Pass', End: true },
          Wrong: { Type: 'Fail' },
        },
      },
      { id: 1 },
    );

    expect(result.output).toMatchObject({ id: 1, error: { Error: 'UnsafeImage' } });
    expect(JSON.parse((result.output as { error: { Cause: string } }).error.Cause)).toEqual({
      errorType: 'UnsafeImage',
      errorMessage: 'backing file',
    });
  });

  it('name what is missing and what cannot be reached', async () => {
    await fetch(`${running.aws.endpoint}/_glimpse/lambda/gone`, {
      method: 'PUT',
      body: JSON.stringify({ url: 'http://127.0.0.1:1/' }),
    });

    expect(await run(one(invoke('gone')))).toMatchObject({ status: 'FAILED', error: 'Lambda.ServiceException' });
  });

  it('time out by themselves', async () => {
    const state = { ...invoke('hang', { key: 'task' }), TimeoutSeconds: 0.2 };

    expect(await run(one(state))).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    release();
  });

  it('wait for a task token with heartbeats', async () => {
    const state = {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
      HeartbeatSeconds: 2,
      Parameters: { FunctionName: 'token', Payload: { 'token.$': '$$.Task.Token' } },
    };
    const arn = await machine(one(state));
    const beating = await start(arn);
    const taskToken = String(await until('the token', async () => calls['token']?.[0]));
    for (let beat = 0; beat < 5; beat++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await sfn.send(new SendTaskHeartbeatCommand({ taskToken }));
    }
    await sfn.send(new SendTaskSuccessCommand({ taskToken, output: '{"by":"token"}' }));

    expect(await ended(beating)).toMatchObject({ status: 'SUCCEEDED', output: '{"by":"token"}' });
    expect(await ended(await start(arn))).toMatchObject({ error: 'States.HeartbeatTimeout' });
  });

  it('refuse a result above 256 KiB', async () => {
    expect(await run(one(invoke('large')))).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });

    const caught = { ...invoke('large'), Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Caught' }] };
    const { States } = one(caught);
    const end = await run({ StartAt: 'Only', States: { ...States, Caught: { Type: 'Pass', End: true } } });
    expect(end.output).toEqual({
      Error: 'States.DataLimitExceeded',
      Cause:
        "The state/task 'lambda' returned a result with a size exceeding the maximum number of bytes service limit.",
    });
  });

  it('run branches side by side and fail as one', async () => {
    const branches = (second: object) => ({
      Type: 'Parallel',
      Branches: [
        one(invoke('echo', { 'x.$': '$.x' })),
        { StartAt: 'Second', States: { Second: { ...second, End: true } } },
      ],
    });

    expect((await run(one2(branches({ Type: 'Pass' })), { x: 1 })).output).toEqual([{ value: { x: 1 } }, { x: 1 }]);
    expect(await run(one2(branches(invoke('fail'))), { x: 1 })).toMatchObject({ error: 'UnsafeImage' });
  });
});

/** As `one`, with another state name: names are unique in a definition. */
const one2 = (state: object) => ({ StartAt: 'Outer', States: { Outer: { ...state, End: true } } });

describe('maps', () => {
  const map = (processor: object, more: object = {}) =>
    one2({
      Type: 'Map',
      ItemsPath: '$.items',
      ItemSelector: { 'index.$': '$$.Map.Item.Index', 'item.$': '$$.Map.Item.Value', 'all.$': '$.note' },
      ItemProcessor: one(processor),
      ...more,
    });
  const distributed = (processor: object) => ({
    ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }, ...one(processor) },
  });

  it('select items and keep their order', async () => {
    const result = await run(map({ Type: 'Pass' }), { items: ['a', 'b'], note: 'n' });

    expect(result.output).toEqual([
      { index: 0, item: 'a', all: 'n' },
      { index: 1, item: 'b', all: 'n' },
    ]);
  });

  it('keep to MaxConcurrency, and to 40 without one', async () => {
    const peak = async (width: number, count: number, more: object) => {
      gauge = { now: 0, peak: 0, full: Promise.withResolvers<void>() };
      await run(map(invoke('gauge', { width }), more), { items: Array(count).fill(0), note: '' });
      return gauge.peak;
    };

    expect(await peak(3, 12, { MaxConcurrency: 3 })).toBe(3);
    expect(await peak(40, 120, {})).toBe(40);
  });

  it('fail with the error of an inline iteration', async () => {
    const result = await run(map(invoke('fail')), { items: [1, 2], note: '' });
    const types = (await history(result.executionArn ?? '')).map((event) => event.type);

    expect(result).toMatchObject({ error: 'UnsafeImage' });
    expect(types).toEqual(expect.arrayContaining(['MapIterationFailed', 'MapStateFailed', 'ExecutionFailed']));
  });

  it('hide the error of a distributed child', async () => {
    const result = await run(map({}, distributed(invoke('fail'))), { items: [1], note: '' });

    expect(result).toMatchObject({ error: 'States.ExceedToleratedFailureThreshold' });
  });

  it('tolerate as many failures as they say', async () => {
    const result = await run(map({}, { ...distributed(invoke('fail')), ToleratedFailurePercentage: 100 }), {
      items: [1],
      note: '',
    });

    expect(result).toMatchObject({ status: 'SUCCEEDED', output: [{ Error: 'UnsafeImage' }] });
  });

  it('give distributed children an execution of their own', async () => {
    const child = { Type: 'Pass', Parameters: { 'id.$': '$$.Execution.Id' } };
    const result = await run(map({}, distributed(child)), { items: [1], note: '' });

    expect(result.output).toEqual([{ id: expect.stringContaining('/Outer:') }]);
  });

  it('of 1,000 distributed items leave few events, and 5,000 events end nothing', async () => {
    const items = Array.from({ length: 1000 }, (_, index) => index);
    const result = await run(map({}, distributed({ Type: 'Pass', Result: {} })), { items, note: '' });

    expect(result.status).toBe('SUCCEEDED');
    expect(await history(result.executionArn ?? '')).toHaveLength(8);
  });

  it('end at 25,000 events', async () => {
    const items = Array.from({ length: 8000 }, (_, index) => index);
    const result = await run(map({ Type: 'Pass', Result: 0 }), { items, note: '' });

    expect(result).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  });
});

describe('history', () => {
  it('tells of tasks what AWS tells', async () => {
    const { executionArn = '' } = await run(one(invoke('fail')));
    const events = await history(executionArn);

    expect(events.map((event) => event.type)).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskFailed',
      'ExecutionFailed',
    ]);
    expect(events.map((event) => [event.id, event.previousEventId])).toEqual(
      events.map((_, at) => [at + 1, at === 1 ? 0 : at]),
    );
    expect(events[1]?.stateEnteredEventDetails).toMatchObject({ name: 'Only', input: '{}' });
    expect(events[2]?.taskScheduledEventDetails).toMatchObject({ resourceType: 'lambda', resource: 'invoke' });
    expect(events[4]?.taskFailedEventDetails).toMatchObject({ error: 'UnsafeImage' });
    expect(events[0]?.timestamp).toBeInstanceOf(Date);
  });
});

// Without processes nothing is killed: closing lets the execution end.
describe.skipIf(ONE_PROCESS)('a restart (skipped in one process)', () => {
  it('drives a running execution again from its start and keeps ended ones', async () => {
    const arn = await machine(one(invoke('hang', { key: 'redriven' })));
    const executionArn = await start(arn, { a: 1 });
    const before = await run(one({ Type: 'Pass' }), { kept: true });
    await until('the first call', async () => calls['hang']?.includes('redriven'));
    calls['hang'] = [];

    await running.killControl();
    await until('the second call', async () => calls['hang']?.includes('redriven'));
    release();

    expect(await ended(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '{"value":"released"}' });
    expect((await history(executionArn)).map((event) => event.type)).toContain('ExecutionRedriven');
    expect(await ended(before.executionArn ?? '')).toMatchObject({ output: '{"kept":true}' });
    expect((await history(before.executionArn ?? '')).at(-1)?.type).toBe('ExecutionSucceeded');
  });
});

describe('what an execution waits for', () => {
  const workflowsOf = (arn: string) => createWorkflows(new SFNClient(clientOf(running.aws.endpoint)), arn);
  const started = async (state: object, name: string) => {
    const arn = await machine(one(state));
    return { executionArn: await start(arn, {}, name), workflows: workflowsOf(arn) };
  };

  it('is a call since it began', async () => {
    const beforeMs = Date.now();
    const { workflows } = await started(invoke('hang', { key: 'busy' }), 'busy');
    await until('the function', async () => calls['hang']?.includes('busy') === true);

    const since = await workflows.busySince('busy');

    expect(since).toBeGreaterThanOrEqual(beforeMs - 1);
    expect(since).toBeLessThanOrEqual(Date.now());
    release();
  });

  it('is no call while one that failed is to be made again', async () => {
    const Retry = [{ ErrorEquals: ['UnsafeImage'], IntervalSeconds: 3_600, MaxAttempts: 9 }];
    const { workflows, executionArn } = await started({ ...invoke('fail'), Retry }, 'queued');
    await until('the failure', async () => (await history(executionArn)).some(({ type }) => type === 'TaskFailed'));

    expect(await workflows.busySince('queued')).toBeUndefined();
    await workflows.stop('queued', 'seen');
  });

  it('is nothing of one that was never started', async () => {
    expect(await workflowsOf(await machine(one({ Type: 'Pass' }))).busySince('none')).toBeUndefined();
  });
});
