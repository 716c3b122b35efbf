import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { CallbackAnswer } from './functions.ts';
import type { WorkerAnswer, WorkerJob } from './worker.ts';

/** How many threads a pool has at most and what they see as their environment. */
export interface PoolOptions {
  /** Threads at most; default: one per CPU. */
  size?: number;
  /** Added to the environment of this process. */
  env?: Record<string, string>;
  /** Old-generation heap limit of each thread in MiB; default: Node's. */
  maxHeapMiB?: number;
  /** Young-generation limit of each thread in MiB; default: Node's, about 48. */
  maxYoungMiB?: number;
  /** Milliseconds after which a thread without work ends. Default 20 s: each keeps its modules, tens of MiB. */
  idleMs?: number;
}

const DEFAULT_IDLE_MS = 20_000;

/** Runs jobs in worker threads: started when first needed, reused, ended when idle, first come first served. */
export interface WorkerPool {
  run(job: Omit<WorkerJob, 'id'>): Promise<CallbackAnswer>;
  /** Threads that exist now. */
  readonly threads: number;
  close(): Promise<void>;
}

interface Waiting {
  job: WorkerJob;
  resolve(answer: CallbackAnswer): void;
}

/** Makes a pool without threads. A thread that dies fails its own job only; the next job gets a new one. */
export function workerPool(options: PoolOptions = {}): WorkerPool {
  const { size = availableParallelism(), idleMs = DEFAULT_IDLE_MS } = options;
  const idle: Worker[] = [];
  const ending = new WeakMap<Worker, NodeJS.Timeout>();
  const busy = new Map<Worker, Waiting>();
  const queue: Waiting[] = [];
  let nextId = 0;
  let closed = false;

  function next(): void {
    while (queue.length > 0 && (idle.length > 0 || busy.size < size)) {
      const waiting = queue.shift();
      if (waiting === undefined) return;
      const worker = idle.pop() ?? start();
      clearTimeout(ending.get(worker));
      busy.set(worker, waiting);
      worker.ref();
      worker.postMessage(waiting.job);
    }
  }

  function start(): Worker {
    const resourceLimits = {
      ...(options.maxHeapMiB === undefined ? {} : { maxOldGenerationSizeMb: options.maxHeapMiB }),
      ...(options.maxYoungMiB === undefined ? {} : { maxYoungGenerationSizeMb: options.maxYoungMiB }),
    };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      env: { ...process.env, ...options.env },
      resourceLimits,
    });
    let fault = 'the worker thread ended';
    worker.on('message', ({ answer }: WorkerAnswer) => {
      idle.push(worker);
      worker.unref();
      ending.set(worker, setTimeout(() => end(worker), idleMs).unref());
      settle(worker, answer);
    });
    worker.on('error', (error: unknown) => {
      fault = error instanceof Error ? error.message : String(error);
    });
    worker.on('exit', () => {
      const at = idle.indexOf(worker);
      if (at >= 0) idle.splice(at, 1);
      settle(worker, { error: { errorType: 'Runtime.ExitError', errorMessage: fault } });
    });
    return worker;
  }

  function end(worker: Worker): void {
    const at = idle.indexOf(worker);
    if (at < 0) return;
    idle.splice(at, 1);
    void worker.terminate();
  }

  function settle(worker: Worker, answer: CallbackAnswer): void {
    const waiting = busy.get(worker);
    busy.delete(worker);
    waiting?.resolve(answer);
    if (!closed) next();
  }

  return {
    run: (job) =>
      new Promise((resolve) => {
        queue.push({ job: { ...job, id: nextId++ }, resolve });
        next();
      }),
    get threads() {
      return idle.length + busy.size;
    },
    close: async () => {
      closed = true;
      await Promise.all([...idle, ...busy.keys()].map((worker) => worker.terminate()));
    },
  };
}
