import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetFunctionCommand, InvokeCommand, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FunctionContext } from '../../local/lambda/handler.ts';
import { type FunctionHost, hostFunctions } from '../../local/lambda/runtime.ts';
import { clientOf, type Running, startProcesses, until } from './processes.ts';

let running: Running;
let lambda: LambdaClient;
let host: FunctionHost;
const seen: unknown[] = [];
let attempts = 0;

const heavy = (name: string) => ({
  module: new URL('./fixtures/heavy.ts', import.meta.url).href,
  export: name,
  pool: 'heavy',
});

beforeAll(async () => {
  host = await hostFunctions({
    functions: {
      echo: async (event: unknown) => event,
      context: async (_event: unknown, context: FunctionContext) => ({
        name: context.functionName,
        arn: context.invokedFunctionArn,
        remaining: context.getRemainingTimeInMillis(),
      }),
      fail: async () => {
        throw new TypeError('wrong');
      },
      slow: async () => await new Promise((resolve) => setTimeout(resolve, 2000, 'late')),
      record: async (event: unknown) => seen.push(event),
      unsteady: async () => {
        attempts++;
        throw new Error('never');
      },
      huge: async () => 'x'.repeat(7 * 1024 * 1024),
      where: heavy('where'),
      burn: heavy('burn'),
      crash: heavy('crash'),
      refuse: heavy('refuse'),
    },
    pools: { heavy: { size: 2, env: { HEAVY_SETTING: 'on' } } },
  });
  running = await startProcesses({ controlToken: 'secret', timeoutScale: 0.1, waitScale: 0.01 });
  lambda = new LambdaClient({ ...clientOf(running.aws.endpoint), maxAttempts: 1 });
  await host.register(running.aws.endpoint, { slow: { timeoutSeconds: 3 } }, 'secret');
});
afterAll(async () => {
  await running.stop();
  await host.close();
});

async function invoke(FunctionName: string, payload: unknown = {}) {
  const result = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(payload) }));
  const text = result.Payload?.transformToString() ?? '';
  return {
    error: result.FunctionError,
    payload: text === '' ? undefined : JSON.parse(text),
    status: result.StatusCode,
  };
}

describe('Invoke', () => {
  it('returns what the function returns, by name and by ARN', async () => {
    expect(await invoke('echo', { a: [1, null] })).toEqual({
      error: undefined,
      payload: { a: [1, null] },
      status: 200,
    });
    expect((await invoke('arn:aws:lambda:us-east-1:000000000000:function:echo', 'x')).payload).toBe('x');
  });

  it('passes the context', async () => {
    const { payload } = await invoke('context');

    expect(payload).toMatchObject({ name: 'context', arn: expect.stringContaining(':function:context') });
    expect(payload.remaining).toBeGreaterThan(80_000);
  });

  it('reports a thrown error without a trace', async () => {
    expect(await invoke('fail')).toEqual({
      error: 'Unhandled',
      payload: { errorType: 'TypeError', errorMessage: 'wrong', trace: [] },
      status: 200,
    });
  });

  it('ends at the time limit, scaled', async () => {
    const { error, payload } = await invoke('slow');

    expect(error).toBe('Unhandled');
    expect(payload).toMatchObject({
      errorType: 'Sandbox.Timedout',
      errorMessage: expect.stringContaining('0.30 seconds'),
    });
  });

  it('refuses payloads and responses above 6 MB', async () => {
    await expect(invoke('echo', 'x'.repeat(7 * 1024 * 1024))).rejects.toMatchObject({
      name: 'RequestTooLargeException',
    });
    expect((await invoke('huge')).payload).toMatchObject({ errorType: 'Function.ResponseSizeTooLarge' });
  });

  it('names an unknown function and broken JSON', async () => {
    await expect(invoke('nobody')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(lambda.send(new InvokeCommand({ FunctionName: 'echo', Payload: '{' }))).rejects.toMatchObject({
      name: 'InvalidRequestContentException',
    });
  });

  it('answers a dry run without running', async () => {
    const before = seen.length;
    const result = await lambda.send(new InvokeCommand({ FunctionName: 'record', InvocationType: 'DryRun' }));

    expect([result.StatusCode, seen.length]).toEqual([204, before]);
  });

  it('runs asynchronously, and three times when the function fails', async () => {
    const later = (FunctionName: string, Payload: string) =>
      lambda.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload }));
    const accepted = await later('record', '{"later":true}');
    await later('unsteady', '{}');

    expect(accepted.StatusCode).toBe(202);
    await until('the event', async () => seen.length > 0);
    expect(seen).toEqual([{ later: true }]);
    const letters = await until('the dead letter', async () => {
      const response = await fetch(`${running.aws.endpoint}/_glimpse/dead-letters`, {
        headers: { 'x-glimpse-control': 'secret' },
      });
      const body = (await response.json()) as { deadLetters: { target: string; reason: string }[] };
      return body.deadLetters.length > 0 && body.deadLetters;
    });
    expect(letters).toMatchObject([{ target: expect.stringContaining('unsteady'), reason: 'Error: never' }]);
    expect(attempts).toBe(3);
  });

  it('reports a process that cannot be reached as a service error', async () => {
    await fetch(`${running.aws.endpoint}/_glimpse/lambda/gone`, {
      method: 'PUT',
      headers: { 'x-glimpse-control': 'secret' },
      body: JSON.stringify({ url: 'http://127.0.0.1:1/' }),
    });

    await expect(invoke('gone')).rejects.toMatchObject({ name: 'ServiceException' });
  });
});

describe('the register', () => {
  it('lists and describes functions', async () => {
    const { Functions } = await lambda.send(new ListFunctionsCommand({}));
    const slow = await lambda.send(new GetFunctionCommand({ FunctionName: 'slow' }));

    expect(Functions?.map((each) => each.FunctionName)).toEqual(expect.arrayContaining(['echo', 'slow']));
    expect(slow.Configuration).toMatchObject({ FunctionName: 'slow', Timeout: 3, State: 'Active' });
  });

  it('is closed to callers without the control token', async () => {
    const put = (token: string) =>
      fetch(`${running.aws.endpoint}/_glimpse/lambda/intruder`, {
        method: 'PUT',
        headers: { 'x-glimpse-control': token },
        body: JSON.stringify({ url: 'http://127.0.0.1:1/' }),
      });

    expect([(await put('guess')).status, (await put('secret')).status]).toEqual([403, 200]);
  });
});

describe('worker threads', () => {
  it('run heavy functions off the main thread, with their environment, and are reused', async () => {
    const results = await Promise.all(Array.from({ length: 10 }, (_, n) => invoke('where', { n })));
    const threads = new Set(results.map((result) => result.payload.threadId));

    expect(results.map((result) => result.payload.n)).toEqual(Array.from({ length: 10 }, (_, n) => n));
    expect(results[0]?.payload.setting).toBe('on');
    expect(threads.has(0)).toBe(false);
    expect(threads.size).toBeLessThanOrEqual(2);
  });

  it('leave the main thread free', async () => {
    const enough = join(running.dataDir, 'enough');
    const burning = [invoke('burn', { until: enough }), invoke('burn', { until: enough })];
    const answered = await invoke('echo', 1);
    await writeFile(enough, '');
    const threads = (await Promise.all(burning)).map(({ payload }) => payload);

    expect(answered.payload).toBe(1);
    expect(threads).not.toContain(0);
  });

  it('that crash fail their own job only', async () => {
    const [crashed, fine] = await Promise.all([invoke('crash'), invoke('where', { n: 1 })]);

    expect(crashed.payload).toMatchObject({ errorType: 'Runtime.ExitError' });
    expect(fine.error).toBeUndefined();
    expect((await invoke('where', { n: 2 })).payload.n).toBe(2);
    expect((await invoke('refuse')).payload).toMatchObject({ errorType: 'RangeError', errorMessage: 'too much' });
  });
});
