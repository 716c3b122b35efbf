import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { DigestRequest, SignatureCheck } from './digest-worker.ts';

/**
 * Hashes of a stream, each algorithm on a thread of its own beside the caller's. Bytes in shared memory pass without a copy and
 * must stay as they are until `update` resolves; other bytes are copied.
 */
export interface Digester {
  /** Bytes in order; calls may overlap. @throws Error when a thread died */
  update(bytes: Uint8Array): Promise<void>;
  /** As `update` of so many zeros, which need no memory. */
  zeros(length: number): Promise<void>;
  /** Lower-case hex by algorithm, of all updates, and `valid` or `invalid` as `signature` where one is checked. Call once. */
  digest(): Promise<Readonly<Record<string, string>>>;
  /** Forgets an unfinished stream. Idempotent; not needed after `digest`. */
  close(): void;
}

interface Thread {
  readonly worker: Worker;
  /** Answers awaited, in the order of their requests. */
  readonly waiting: { readonly resolve: (value: string) => void; readonly reject: (error: Error) => void }[];
  streams: number;
}

/** Threads of this process, shared by all streams; they do not keep it alive. */
const threads: Thread[] = [];
const MAX_THREADS = Math.max(2, availableParallelism());
let lastId = 0;
/** Beside the source; built, beside what it was bundled into (infra/worker-files.ts). */
const WORKER = import.meta.url.endsWith('.ts') ? './digest-worker.ts' : './digest-worker.mjs';
/** As the thread knows it: a stream that is checked, not hashed. */
const CHECKED = 'check:';
/** A hashing thread keeps a few numbers; its bytes are shared memory. MiB. */
const TINY_HEAP = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 };

/**
 * @param algorithms names that node:crypto knows, such as `md5` and `sha512`; repeats are hashed once
 * @param check a signature that is checked over the same bytes
 */
export function createDigester(algorithms: readonly string[], check?: SignatureCheck): Digester {
  const used: Thread[] = [];
  const wanted = [
    ...[...new Set(algorithms)].map((algorithm) => ({ name: algorithm, algorithm })),
    ...(check === undefined ? [] : [{ name: 'signature', algorithm: `${CHECKED}${check.hash}`, check }]),
  ];
  const lanes = wanted.map((lane) => {
    const thread = quietThread(used);
    used.push(thread);
    thread.streams += 1;
    return { ...lane, thread, id: ++lastId };
  });
  let open = true;
  const leave = (): void => {
    open = false;
    for (const { thread } of lanes) thread.streams -= 1;
  };
  return {
    async update(bytes) {
      await Promise.all(lanes.map(({ algorithm, thread, id }) => ask(thread, { id, algorithm, bytes })));
    },
    async zeros(length) {
      await Promise.all(lanes.map(({ algorithm, thread, id }) => ask(thread, { id, algorithm, zeros: length })));
    },
    async digest() {
      const values = await Promise.all(
        lanes.map(async ({ thread, name, ...lane }) => {
          return [name, await ask(thread, { ...lane, end: 'value' })] as const;
        }),
      );
      leave();
      return Object.fromEntries(values);
    },
    close() {
      if (!open) return;
      leave();
      for (const { algorithm, thread, id } of lanes) {
        ask(thread, { id, algorithm, end: 'drop' }).catch(() => undefined);
      }
    },
  };
}

function ask(thread: Thread, request: DigestRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    thread.waiting.push({ resolve, reject });
    thread.worker.ref();
    thread.worker.postMessage(request);
  });
}

/** The thread with the fewest streams that this stream does not use yet; a new one while there are few. */
function quietThread(used: readonly Thread[]): Thread {
  const free = threads.filter((thread) => !used.includes(thread)).toSorted((a, b) => a.streams - b.streams)[0];
  if (free !== undefined && (free.streams === 0 || threads.length >= MAX_THREADS)) return free;
  return threads.length < MAX_THREADS || free === undefined ? startThread() : free;
}

function startThread(): Thread {
  const worker = new Worker(new URL(WORKER, import.meta.url), { resourceLimits: TINY_HEAP });
  const thread: Thread = { worker, waiting: [], streams: 0 };
  worker.unref();
  worker.on('message', (value: string) => {
    thread.waiting.shift()?.resolve(value);
    if (thread.waiting.length === 0) worker.unref();
  });
  const fail = (error: Error): void => {
    threads.splice(threads.indexOf(thread), 1);
    for (const waiter of thread.waiting.splice(0)) waiter.reject(error);
  };
  worker.on('error', fail);
  worker.on('exit', () => {
    if (threads.includes(thread)) fail(new Error('a hashing thread ended'));
  });
  threads.push(thread);
  return thread;
}
