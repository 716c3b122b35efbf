/** The embedded AWS in two child processes: one with S3 and the port, one with the JSON services (design: one machine). */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type ChildMessage, OPTIONS_VARIABLE, type ParentMessage } from './child-process.ts';
import type { ControlOptions } from './control.ts';

/** The two processes. */
export type ProcessName = 'aws' | 'control';

/** Settings of both processes. */
export interface ProcessesOptions extends ControlOptions {
  /** The public port; 0 for any. */
  port: number;
  /** Names besides those of loopback that the ports are reached by. */
  hosts?: readonly string[];
  /** Called after a process that died by itself is up again; functions must then be registered again. Called anew when it fails: the other process may be away, too. */
  onRestart?: (name: ProcessName) => Promise<void> | void;
  /** Called when a process died and could not be started again. */
  onFailure?: (name: ProcessName, error: Error) => void;
}

/** Two running children. */
export interface AwsProcesses {
  /** For `AWS_ENDPOINT_URL`. */
  readonly endpoint: string;
  /** The JSON services without the hop through the S3 process: for `AWS_ENDPOINT_URL_DYNAMODB` and the like. */
  readonly controlEndpoint: string;
  pid(name: ProcessName): number | undefined;
  /** Asks both to finish and waits until they are gone. */
  close(): Promise<void>;
}

interface Child {
  process: ChildProcess;
  port: number;
}

/**
 * Both keep little in their heaps; V8 would let each grow by 48 MiB of young generation under load. Bytes of objects pass S3 as
 * buffers outside its heap: early collections of the young free them, and they must not cause full ones.
 */
const V8_FLAGS: Readonly<Record<ProcessName, readonly string[]>> = {
  aws: [
    '--max-semi-space-size=1',
    '--heap-growing-percent=600',
    '--external-memory-accounted-in-global-limit',
    '--expose-gc',
  ],
  control: ['--max-semi-space-size=6', '--expose-gc'],
};
const ENTRIES = { aws: './aws-process.ts', control: './control-process.ts' } as const;
/** Stripped and compiled sources: saves two thirds of a child's start-up work and 30 MB of its memory. */
const COMPILE_CACHE = fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url));
/** A child that does not finish in this time is killed; nothing acknowledged is lost by that. */
const CLOSE_TIMEOUT_MS = 5_000;

/** Starts both children side by side. Throws the child's own one-line error when one cannot start. */
export async function startAwsProcesses(options: ProcessesOptions): Promise<AwsProcesses> {
  const { port, onRestart, onFailure, ...shared } = options;
  const children = new Map<ProcessName, Child>();
  let closing = false;

  const launch = async (name: ProcessName, wantedPort: number): Promise<Child> => {
    const child = await startChild(name, { ...shared, port: wantedPort });
    children.set(name, child);
    child.process.once('exit', () => {
      if (!closing) void again(name, child.port);
    });
    return child;
  };
  const introduce = () => {
    const [aws, control] = [children.get('aws'), children.get('control')];
    if (aws !== undefined && control !== undefined) say(aws, { type: 'control', port: control.port });
  };
  const again = async (name: ProcessName, samePort: number): Promise<void> => {
    try {
      await patiently(() => launch(name, samePort), START_ATTEMPTS);
      introduce();
      await patiently(async () => onRestart?.(name), KNOWN_ATTEMPTS);
    } catch (error) {
      onFailure?.(name, error instanceof Error ? error : new Error(String(error)));
    }
  };
  const close = async (): Promise<void> => {
    closing = true;
    await Promise.all([...children.values()].map(endChild));
  };

  const started = await Promise.allSettled([launch('control', 0), launch('aws', port)]);
  const failure = started.find((result) => result.status === 'rejected');
  if (failure !== undefined) {
    await close();
    throw failure.reason;
  }
  introduce();
  const urlOf = (name: ProcessName) => `http://127.0.0.1:${children.get(name)?.port}`;
  const processes: AwsProcesses = {
    endpoint: urlOf('aws'),
    controlEndpoint: urlOf('control'),
    pid: (name) => children.get(name)?.process.pid,
    close,
  };
  await introduced(processes.endpoint);
  return processes;
}

/** A process may die again while it begins; what keeps it from beginning is told after a few times. */
const START_ATTEMPTS = 5;
/** Longer than the other process takes to be up again. */
const KNOWN_ATTEMPTS = 60;
const BETWEEN_MS = 250;

async function patiently(work: () => Promise<unknown>, attempts: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      if (attempt === attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
    }
  }
}

function startChild(name: ProcessName, options: object): Promise<Child> {
  const entry = new URL(ENTRIES[name], import.meta.url);
  // The environment, unlike the arguments, is not shown to other users of the machine: options hold a secret.
  const env = { NODE_COMPILE_CACHE: COMPILE_CACHE, ...process.env, [OPTIONS_VARIABLE]: JSON.stringify(options) };
  const child = fork(entry, [], { execArgv: [...V8_FLAGS[name]], env });
  return new Promise((resolve, reject) => {
    let reason = `the embedded AWS process '${name}' ended before it was ready`;
    child.on('message', (message: ChildMessage) => {
      if (message.type === 'ready') resolve({ process: child, port: message.port });
      else reason = message.message;
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(reason)));
  });
}

const say = (child: Child, message: ParentMessage): void => {
  if (child.process.connected) child.process.send(message);
};

async function endChild(child: Child): Promise<void> {
  if (child.process.exitCode !== null || child.process.signalCode !== null) return;
  const gone = new Promise((resolve) => child.process.once('exit', resolve));
  say(child, { type: 'close' });
  const timer = setTimeout(() => child.process.kill('SIGKILL'), CLOSE_TIMEOUT_MS);
  await gone;
  clearTimeout(timer);
}

/** The port's owner learns of the other process by a message; it is ready when it forwards. */
async function introduced(endpoint: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const response = await fetch(`${endpoint}/_glimpse/health`);
    await response.arrayBuffer();
    if (response.status !== 503) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the processes of the embedded AWS do not find each other');
}
