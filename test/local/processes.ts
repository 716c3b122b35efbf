import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedAws } from '../../local/embedded.ts';
import { type AwsProcesses, type ProcessesOptions, startAwsProcesses } from '../../local/processes.ts';
import { ONE_PROCESS } from '../support/one-process.ts';

/** Settings of every SDK client in these tests. */
export const clientOf = (endpoint: string) => ({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
});

/** The embedded AWS in child processes, on a data folder of its own. */
export interface Running {
  aws: AwsProcesses;
  dataDir: string;
  /** Kills the process with the JSON services and waits until it is back. */
  killControl(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the embedded AWS in child processes with a fresh data folder. */
export async function startProcesses(options: Partial<ProcessesOptions> = {}): Promise<Running> {
  if (ONE_PROCESS) return await startInThisProcess(options);
  const dataDir = await mkdtemp(join(tmpdir(), 'glimpse-local-'));
  let restarted = () => {};
  const onRestart: ProcessesOptions['onRestart'] = async (name) => {
    await options.onRestart?.(name);
    restarted();
  };
  const aws = await startAwsProcesses({ dataDir, port: 0, ...options, onRestart });
  return {
    aws,
    dataDir,
    killControl: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      restarted = resolve;
      process.kill(aws.pid('control') ?? 0, 'SIGKILL');
      await promise;
    },
    stop: async () => {
      await aws.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** The same without children: what kills a process there closes the services here, and opens them again on their data. */
async function startInThisProcess({
  onRestart,
  onFailure: _,
  ...options
}: Partial<ProcessesOptions>): Promise<Running> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'glimpse-local-')));
  let embedded = await startEmbeddedAws({ ...options, dataDir });
  const { endpoint } = embedded;
  return {
    aws: { endpoint, controlEndpoint: endpoint, pid: () => undefined, close: () => embedded.close() },
    dataDir,
    killControl: async () => {
      await embedded.close();
      embedded = await startEmbeddedAws({ ...options, dataDir, port: Number(new URL(endpoint).port) });
      await onRestart?.('control');
    },
    stop: async () => {
      await embedded.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Waits until a condition holds; fails with what it waited for. */
export async function until<T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  limitMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const value = await check();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`waited ${limitMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
