/** Packaged functions run as on Lambda: what they can see, write, hold and take is what their deployment gives them. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FunctionHost, hostFunctions } from '../../local/lambda/runtime.ts';
import type { PackagedFunction } from '../../local/lambda/sandbox.ts';
import { clientOf, type Running, startProcesses, until } from './processes.ts';

const PACKAGES: Readonly<Record<string, string>> = {
  echo: 'export const handler = async (event) => event;',
  who: `export const handler = async (_event, context) => ({
    pid: process.pid, cwd: process.cwd(), flags: process.execArgv.filter((flag) => flag.startsWith('--max')),
    environment: Object.keys(process.env).sort(), context });`,
  files: `import { readFileSync, writeFileSync } from 'node:fs'; import { tmpdir } from 'node:os';
    const tried = (work) => { try { return String(work()); } catch (error) { return error.code; } };
    export const handler = async ({ outside }) => ({
      own: tried(() => readFileSync('data.txt')), outside: tried(() => readFileSync(outside)),
      root: tried(() => writeFileSync('new.txt', 'x')),
      tmp: tried(() => { writeFileSync(tmpdir() + '/new.txt', 'x'); return readFileSync(tmpdir() + '/new.txt'); }) });`,
  slow: `export const handler = async ({ ms = 0 }) => { await new Promise((resolve) => setTimeout(resolve, ms)); return process.pid; };`,
  spinning: 'export const handler = async () => { for (;;); };',
  hoarding: `const kept = []; export const handler = async ({ mib }) => {
    for (let n = 0; n < mib; n++) { kept.push(Buffer.alloc(1024 * 1024, 1)); await new Promise((go) => setTimeout(go, 5)); }
    return kept.length; };`,
  heap: `const kept = []; export const handler = async () => { for (;;) kept.push(new Array(1000).fill(kept.length)); };`,
  exiting: 'export const handler = async () => process.exit(3);',
  throwing: "export const handler = async () => { throw new RangeError('too much'); };",
  escaping:
    "export const handler = async () => { setTimeout(() => { throw new Error('late'); }); await new Promise(() => undefined); };",
  lacking: "import './missing.mjs'; export const handler = async () => 1;",
  needing: `export const handler = async () => { const { Worker } = await import('node:worker_threads');
    const worker = new Worker(new URL('./absent.mjs', import.meta.url));
    return await new Promise((resolve, reject) => { worker.on('error', reject); worker.on('exit', resolve); }); };`,
  broken: 'export const handler = async ( => 1;',
  nameless: 'export const other = 1;',
  huge: "export const handler = async () => 'x'.repeat(7 * 1024 * 1024);",
  ticking: `let ticks = 0; setInterval(() => { ticks += 1; }, 10); export const handler = async () => ticks;`,
};

let dir: string;
let running: Running;
let lambda: LambdaClient;
let host: FunctionHost;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'glimpse-packages-'));
  await writeFile(join(dir, 'secret.txt'), 'of the machine');
  const functions: Record<string, PackagedFunction> = {};
  for (const [name, code] of Object.entries(PACKAGES)) {
    const folder = join(dir, name);
    await mkdir(folder);
    await writeFile(join(folder, 'bundle.mjs'), code);
    await writeFile(join(folder, 'data.txt'), 'of the package');
    const timeoutSeconds = name === 'spinning' ? 2 : 60;
    functions[name] = {
      ...{ folder, handler: 'bundle.handler', memoryMiB: 256, timeoutSeconds },
      environment: { GLIMPSE_TABLE: 'a-table', AWS_REGION: 'us-east-1' },
    };
  }
  host = await hostFunctions({ functions, sandboxes: { concurrency: 3 } });
  running = await startProcesses({ controlToken: 'secret' });
  lambda = new LambdaClient({ ...clientOf(running.aws.endpoint), maxAttempts: 1 });
  await host.register(running.aws.endpoint, {}, 'secret');
});
afterAll(async () => {
  await running?.stop();
  await host?.close();
  await rm(dir, { recursive: true, force: true });
});

async function invoke(FunctionName: string, payload: unknown = {}) {
  const result = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(payload) }));
  const text = result.Payload?.transformToString() ?? '';
  return { error: result.FunctionError, payload: text === '' ? undefined : JSON.parse(text) };
}

const stateOf = async (pid: number): Promise<string | undefined> =>
  /^State:\s+(\w)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''))?.[1];

describe('a packaged function', () => {
  it('takes an event, answers, and names what it throws', async () => {
    expect(await invoke('echo', { a: [1, null], ö: '✓' })).toEqual({
      error: undefined,
      payload: { a: [1, null], ö: '✓' },
    });
    expect((await invoke('throwing')).payload).toMatchObject({ errorType: 'RangeError', errorMessage: 'too much' });
  });

  it('has the environment and the flags of Lambda, and no variable of this machine', async () => {
    const { payload } = await invoke('who');

    expect(payload.cwd).toBe(join(dir, 'who'));
    expect(payload.flags).toEqual(['--max-semi-space-size=12', '--max-old-space-size=230']);
    expect(payload.environment).not.toContain('HOME');
    expect(payload.environment.filter((name: string) => !/^(AWS_|LAMBDA_|_)/.test(name))).toEqual([
      'GLIMPSE_TABLE',
      'LANG',
      'TMPDIR',
      'TZ',
    ]);
    expect(payload.context).toMatchObject({
      ...{ functionName: 'who', memoryLimitInMB: '256', functionVersion: '$LATEST' },
      invokedFunctionArn: expect.stringContaining(':function:who'),
    });
  });

  it('reads its package and nothing else, and writes to its /tmp only', async () => {
    expect((await invoke('files', { outside: join(dir, 'secret.txt') })).payload).toEqual({
      ...{ own: 'of the package', outside: 'ERR_ACCESS_DENIED', root: 'ERR_ACCESS_DENIED', tmp: 'x' },
    });
  });

  it('runs one process per concurrent call, which is used again and waited for at the limit', async () => {
    const together = await Promise.all([1, 2, 3, 4, 5].map(() => invoke('slow', { ms: 500 })));
    const pids = new Set(together.map(({ payload }) => payload));

    expect(pids.size).toBe(3);
    expect(pids).toContain((await invoke('slow')).payload);
  });

  it.runIf(process.platform === 'linux')('is frozen between two calls (skipped where it is not Linux)', async () => {
    const pid = (await invoke('slow')).payload;
    await until('the freeze', async () => (await stateOf(pid)) === 'T');

    const before = (await invoke('ticking')).payload;
    await sleep(1_000);
    // The event loop catches up with one timer at most.
    expect((await invoke('ticking')).payload - before).toBeLessThan(50);
  });
});

describe('what a function cannot have', () => {
  it('code that its package lacks', async () => {
    expect((await invoke('lacking')).payload).toMatchObject({
      errorType: 'Runtime.ImportModuleError',
      errorMessage: expect.stringContaining('missing.mjs'),
    });
    expect((await invoke('needing')).payload).toMatchObject({ errorMessage: expect.stringContaining('absent.mjs') });
    expect((await invoke('broken')).payload).toMatchObject({ errorType: 'Runtime.UserCodeSyntaxError' });
    expect((await invoke('nameless')).payload).toMatchObject({ errorType: 'Runtime.HandlerNotFound' });
  });

  it.runIf(process.platform === 'linux')('more memory than it is given (skipped where it is not Linux)', async () => {
    expect((await invoke('hoarding', { mib: 20 })).payload).toBe(20);
    expect((await invoke('hoarding', { mib: 400 })).payload).toMatchObject({
      errorType: 'Runtime.ExitError',
      errorMessage: expect.stringMatching(/^RequestId: \S+ Error: Runtime exited with error: signal: killed$/),
    });
    expect((await invoke('hoarding', { mib: 20 })).payload).toBe(20);
  });

  it('a larger heap than its memory', async () => {
    expect((await invoke('heap')).payload).toMatchObject({ errorType: 'Runtime.ExitError' });
  });

  it('more time than its limit, even when it never yields', async () => {
    expect((await invoke('spinning')).payload).toMatchObject({
      errorType: 'Sandbox.Timedout',
      errorMessage: expect.stringMatching(/Task timed out after 2\.00 seconds$/),
    });
  });

  it('an end of its own process, or an error that nobody catches', async () => {
    expect((await invoke('exiting')).payload).toMatchObject({
      errorType: 'Runtime.ExitError',
      errorMessage: expect.stringMatching(/Runtime exited with error: exit status 3$/),
    });
    expect((await invoke('escaping')).payload).toMatchObject({ errorType: 'Error', errorMessage: 'late' });
  });

  it('an answer above 6 MB', async () => {
    expect((await invoke('huge')).payload).toMatchObject({ errorType: 'Function.ResponseSizeTooLarge' });
    expect((await invoke('huge')).payload).toMatchObject({ errorType: 'Function.ResponseSizeTooLarge' });
  });
});

it.runIf(process.platform === 'linux')(
  'frozen functions end with a host that is killed (skipped where it is not Linux)',
  async () => {
    const { startReaper } = await import('../../local/lambda/reaper.ts');
    const { spawn } = await import('node:child_process');
    const [left, over] = [0, 1].map(() => spawn('sleep', ['60']));
    const reaper = startReaper();
    for (const { pid } of [left, over] as { pid: number }[]) reaper.watch(pid);
    reaper.forget(over?.pid ?? 0);
    left?.kill('SIGSTOP');
    reaper.close();

    await until('its end', async () => left?.signalCode === 'SIGKILL');
    expect(over?.signalCode).toBeNull();
    over?.kill('SIGKILL');
  },
);
