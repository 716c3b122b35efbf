/**
 * One execution environment of a packaged function: a process whose only code is the package, with the limits that Lambda sets. It runs
 * one invocation at a time and is frozen between two. Source: AWS Lambda developer guide, "Understanding the Lambda execution
 * environment lifecycle", "Defined runtime environment variables".
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FunctionError, timedOut } from './function-error.ts';
import type { Callback, CallbackAnswer } from './functions.ts';
import type { Reaper } from './reaper.ts';
import { openRuntimeApi, type RuntimeApi } from './runtime-api.ts';

/** A function as it is deployed. */
export interface PackagedFunction {
  /** What its package holds, unpacked: its working directory, and all it can read. */
  readonly folder: string;
  /** As `bundle.handler`: file without its extension `.mjs`, and export. */
  readonly handler: string;
  readonly memoryMiB: number;
  readonly timeoutSeconds: number;
  /** The whole environment, but for what Lambda itself sets. */
  readonly environment: Readonly<Record<string, string>>;
}

const BOOTSTRAP = fileURLToPath(new URL('./bootstrap.mjs', import.meta.url));
/** Between two looks at the memory of a running function, in milliseconds. */
const LOOK_MS = 50;
const MIB = 1024 * 1024;
const PAGE_BYTES = 4096;

type State = 'starting' | 'frozen' | 'running' | 'returning' | 'gone';

export class Sandbox {
  readonly #function: PackagedFunction;
  readonly #onChange: () => void;
  readonly #reaper: Reaper;
  #state: State = 'starting';
  #process: ChildProcess | undefined;
  #api: RuntimeApi | undefined;
  #tmp: string | undefined;
  #running: { readonly callback: Callback; resolve(answer: CallbackAnswer): void } | undefined;
  #ended: FunctionError | undefined;
  #timers: NodeJS.Timeout[] = [];
  readonly #gone: Promise<void>;
  #setGone: () => void = () => undefined;
  #ran = false;
  idleSinceMs = 0;

  /** @param onChange called when it can take an invocation, and when it is gone */
  constructor(fn: PackagedFunction, reaper: Reaper, onChange: () => void) {
    this.#function = fn;
    this.#reaper = reaper;
    this.#onChange = onChange;
    this.#gone = new Promise((resolve) => {
      this.#setGone = resolve;
    });
  }

  get isFree(): boolean {
    return this.#state === 'frozen';
  }

  get isGone(): boolean {
    return this.#state === 'gone';
  }

  get isStarting(): boolean {
    return this.#state === 'starting';
  }

  /** It never asked for an invocation: its code could not be loaded. */
  get neverRan(): boolean {
    return !this.#ran;
  }

  /** Why it is gone. */
  get error(): FunctionError {
    return this.#ended ?? { errorType: 'Runtime.ExitError', errorMessage: 'Runtime exited' };
  }

  async start(name: string): Promise<void> {
    const api = await openRuntimeApi({
      onNext: () => this.#freeze(),
      onAnswer: (answer) => this.#answer(answer, 'returning'),
      onInitError: (error) => {
        this.#ended ??= error;
      },
    });
    this.#api = api;
    const tmp = await realpath(await mkdtemp(join(tmpdir(), 'lambda-')));
    this.#tmp = tmp;
    if (this.#state === 'gone') return void (await this.#clean());
    const { folder, memoryMiB } = this.#function;
    const child = spawn(process.execPath, [...nodeFlags(memoryMiB), ...rights(folder, tmp), BOOTSTRAP], {
      cwd: folder,
      env: this.#environment(name, api.address, tmp),
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    this.#process = child;
    if (child.pid !== undefined) this.#reaper.watch(child.pid);
    child.once('error', (error) => this.#exit(error.message));
    child.once('exit', (code, signal) => {
      if (child.pid !== undefined) this.#reaper.forget(child.pid);
      this.#exit(code === null ? `signal: ${signal === 'SIGKILL' ? 'killed' : signal}` : `exit status ${code}`);
    });
  }

  /** Runs one invocation; only when it is free. */
  run(callback: Callback): Promise<CallbackAnswer> {
    const { timeoutSeconds } = this.#function;
    const deadlineMs = Math.min(callback.context.deadlineMs, Date.now() + timeoutSeconds * 1000);
    const limited = { ...callback, context: { ...callback.context, deadlineMs } };
    this.#state = 'running';
    return new Promise((resolve) => {
      this.#running = { callback: limited, resolve };
      this.#timers = [
        setTimeout(() => this.#timeOut(), Math.max(0, deadlineMs - Date.now())),
        setInterval(() => this.#look(), LOOK_MS),
      ];
      this.#process?.kill('SIGCONT');
      this.#api?.give(limited);
    });
  }

  /** It could not be started. */
  fail(error: unknown): void {
    this.#exit(error instanceof Error ? error.message : String(error));
  }

  /** Ends it, whatever it does. An idle one must not be given anything from here on. */
  async close(): Promise<void> {
    if (this.#state === 'frozen') this.#state = 'returning';
    if (this.#process === undefined) this.#exit('closed');
    else this.#process.kill('SIGKILL');
    await this.#gone;
  }

  #freeze(): void {
    if (this.#state === 'gone') return;
    this.#ran = true;
    this.#state = 'frozen';
    this.idleSinceMs = Date.now();
    this.#process?.kill('SIGSTOP');
    this.#onChange();
  }

  #answer(answer: CallbackAnswer, next: State): void {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    const running = this.#running;
    this.#running = undefined;
    this.#state = next;
    running?.resolve(answer);
  }

  #timeOut(): void {
    this.#kill(timedOut(this.#requestId ?? '', this.#function.timeoutSeconds));
  }

  #look(): void {
    if (residentMiB(this.#process?.pid) <= this.#function.memoryMiB) return;
    this.#kill(this.#exited('signal: killed'));
  }

  #kill(error: FunctionError): void {
    this.#ended ??= error;
    this.#process?.kill('SIGKILL');
    this.#answer({ error }, 'returning');
  }

  #exit(how: string): void {
    if (this.#state === 'gone') return;
    this.#ended ??= this.#exited(how);
    this.#answer({ error: this.#ended }, 'gone');
    void this.#clean();
    this.#onChange();
  }

  get #requestId(): string | undefined {
    return this.#running?.callback.context.awsRequestId;
  }

  #exited(how: string): FunctionError {
    const id = this.#requestId;
    const errorMessage = `${id === undefined ? '' : `RequestId: ${id} `}Error: Runtime exited with error: ${how}`;
    return { errorType: 'Runtime.ExitError', errorMessage };
  }

  async #clean(): Promise<void> {
    await this.#api?.close();
    if (this.#tmp !== undefined) await rm(this.#tmp, { recursive: true, force: true });
    this.#setGone();
  }

  #environment(name: string, api: string, tmp: string): Record<string, string> {
    const { environment, handler, memoryMiB, folder } = this.#function;
    return {
      ...environment,
      _HANDLER: handler,
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMiB),
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
      AWS_LAMBDA_LOG_STREAM_NAME: '$LATEST',
      AWS_LAMBDA_RUNTIME_API: api,
      LAMBDA_RUNTIME_DIR: dirname(BOOTSTRAP),
      LAMBDA_TASK_ROOT: folder,
      LANG: 'en_US.UTF-8',
      TZ: ':UTC',
      // /tmp of this environment alone.
      TMPDIR: tmp,
    };
  }
}

/** As the bootstrap of Lambda's Node runtime sets them from the memory size. */
const nodeFlags = (memoryMiB: number): string[] => [
  '--expose-gc',
  `--max-semi-space-size=${Math.floor((memoryMiB * 5) / 100)}`,
  `--max-old-space-size=${Math.floor((memoryMiB * 90) / 100)}`,
];

/** A file system that can be read where the package and the runtime lie, and written in /tmp alone. */
const rights = (folder: string, tmp: string): string[] => [
  '--permission',
  '--allow-worker',
  ...[`${folder}/`, BOOTSTRAP, `${tmp}/`].map((path) => `--allow-fs-read=${path}`),
  `--allow-fs-write=${tmp}/`,
  '--disable-warning=SecurityWarning',
];

/** What a process holds in memory; 0 where the system does not say. */
function residentMiB(pid: number | undefined): number {
  try {
    const [, pages = '0'] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
    return (Number(pages) * PAGE_BYTES) / MIB;
  } catch {
    return 0;
  }
}
