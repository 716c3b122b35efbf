/**
 * A LocalStack of this machine's own, as a process: no container engine, functions as processes of Node by the plugin in
 * test/localstack/plugin. What each variable is for stands beside it; the image of LocalStack needs none of them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startReaper } from '../../local/lambda/reaper.ts';
import { answers } from './health.ts';

export interface LocalStackOptions {
  /** The Python that LocalStack is installed for. */
  readonly python: string;
  readonly port: number;
  /** For its files and its log; made when it is not there. */
  readonly folder: string;
  /** Functions that may run at once; more is a throttled invocation. Default 30. */
  readonly concurrency?: number;
}

export interface LocalStackProcess {
  /** For AWS_ENDPOINT_URL. */
  readonly endpoint: string;
  readonly log: string;
  readonly pid: number;
  /** kill -9: all its state is lost. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

/** How to get what is missing, for a terminal. */
export const HOW_TO_INSTALL =
  "python3 -m venv .localstack && .localstack/bin/pip install -c test/localstack/constraints.txt 'localstack-core[runtime]==4.13.1' ./test/localstack/plugin, then GLIMPSE_LOCALSTACK=.localstack/bin/python (or `docker compose up`)";

/** No DynamoDB: its server is a download under a licence of its own. A stray call fails at once. */
const SERVICES = 's3,sts,iam,lambda,events,scheduler,stepfunctions,sqs,logs,cloudwatch';
const BOOTSTRAP = fileURLToPath(new URL('../../local/lambda/bootstrap.mjs', import.meta.url));
/** From a cold disk, on a busy machine. */
const READY_MS = 300_000;
const CLOSE_MS = 10_000;

/** @throws Error with one line when it is not installed or does not answer */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStackProcess> {
  const { python, port, folder } = options;
  await access(python).catch((error: unknown) => {
    throw new Error(`GLIMPSE_LOCALSTACK: there is no ${python}; to install LocalStack: ${HOW_TO_INSTALL}`, {
      cause: error,
    });
  });
  if (await isTaken(port)) throw new Error(`port ${port} is in use; stop what holds it or set GLIMPSE_LOCALSTACK_PORT`);
  await mkdir(join(folder, 'tmp'), { recursive: true, mode: 0o700 });
  const log = join(folder, 'localstack.log');
  const endpoint = `http://127.0.0.1:${port}`;
  const child = spawn(python, ['-m', 'glimpse_localstack'], {
    cwd: folder,
    env: { ...inherited(), ...variables(options) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = createWriteStream(log, { mode: 0o600 });
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', () => resolve()));
  // A killed parent takes it along.
  const reaper = startReaper();
  if (child.pid !== undefined) reaper.watch(child.pid);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (isRunning(child)) child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), CLOSE_MS);
    await gone;
    clearTimeout(timer);
    if (child.pid !== undefined) reaper.forget(child.pid);
    reaper.close();
    output.end();
  };
  const deadline = Date.now() + READY_MS;
  while (!(await answers(endpoint))) {
    if (isRunning(child) && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      continue;
    }
    await end('SIGKILL');
    throw new Error(`LocalStack ended before it answered at ${endpoint}; ${log} says why`);
  }
  return { endpoint, log, pid: child.pid ?? 0, kill: () => end('SIGKILL'), close: () => end('SIGTERM') };
}

/** LocalStack does not end when its port is another's: that one would answer in its place. */
function isTaken(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy()) as Promise<boolean>;
}

const isRunning = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null;

/** Settings of ours, and of LocalStack for other programs, stay out. */
function inherited(): NodeJS.ProcessEnv {
  const { PATH, HOME, LANG } = process.env;
  return { PATH, HOME, LANG };
}

function variables({ port, folder, concurrency = 30 }: LocalStackOptions): Record<string, string> {
  return {
    // In a container it would listen on every address.
    OVERRIDE_IN_DOCKER: '0',
    GATEWAY_LISTEN: `127.0.0.1:${port}`,
    // The other one, twisted, listens on every address whatever it is told.
    GATEWAY_SERVER: 'hypercorn',
    // Else its answers name a public host.
    LOCALSTACK_HOST: `127.0.0.1:${port}`,
    FILESYSTEM_ROOT: join(folder, 'files'),
    TMPDIR: join(folder, 'tmp'),
    // Else it listens on port 53.
    DNS_ADDRESS: '0',
    SKIP_SSL_CERT_DOWNLOAD: '1',
    DISABLE_EVENTS: '1',
    SERVICES,
    LAMBDA_RUNTIME_EXECUTOR: 'node-process',
    LAMBDA_NODE: process.execPath,
    LAMBDA_NODE_BOOTSTRAP: BOOTSTRAP,
    LAMBDA_SYNCHRONOUS_CREATE: '1',
    LAMBDA_KEEPALIVE_MS: '30000',
    LAMBDA_LIMITS_CONCURRENT_EXECUTIONS: String(concurrency),
    LAMBDA_LIMITS_MINIMUM_UNRESERVED_CONCURRENCY: '1',
  };
}
