import type { Callback, CallbackAnswer } from './functions.ts';
import type { Reaper } from './reaper.ts';
import { type PackagedFunction, Sandbox } from './sandbox.ts';

/** How many environments of one function there may be, and for how long an idle one stays. */
export interface SandboxOptions {
  /** Invocations at once; more wait, where Lambda would throttle. Default 8. */
  readonly concurrency?: number;
  /** An environment that had nothing to do for so long ends. Default 60. */
  readonly idleSeconds?: number;
}

export interface Sandboxes {
  run(callback: Callback): Promise<CallbackAnswer>;
  close(): Promise<void>;
}

interface Waiting {
  readonly callback: Callback;
  resolve(answer: CallbackAnswer): void;
}

const SWEEP_MS = 1_000;

/** The environments of one function: a free one is used again, else one more is started, one per concurrent invocation. */
export function openSandboxes(
  name: string,
  fn: PackagedFunction,
  reaper: Reaper,
  { concurrency = 8, idleSeconds = 60 }: SandboxOptions = {},
): Sandboxes {
  const all = new Set<Sandbox>();
  const queue: Waiting[] = [];
  let closed = false;

  /** Forgets those that ended; what waited for one that could not even start learns why. */
  function bury(): void {
    for (const sandbox of all) {
      if (!sandbox.isGone) continue;
      all.delete(sandbox);
      if (sandbox.neverRan) queue.shift()?.resolve({ error: sandbox.error });
    }
  }

  function next(): void {
    bury();
    if (closed) return;
    for (const sandbox of [...all].filter(({ isFree }) => isFree)) {
      const waiting = queue.shift();
      if (waiting === undefined) return;
      void sandbox.run(waiting.callback).then(waiting.resolve);
    }
    const starting = [...all].filter(({ isStarting }) => isStarting).length;
    const wanted = Math.min(queue.length - starting, concurrency - all.size);
    for (let n = 0; n < wanted; n++) start();
  }

  function start(): void {
    const sandbox = new Sandbox(fn, reaper, next);
    all.add(sandbox);
    sandbox.start(name).catch((error: unknown) => sandbox.fail(error));
  }

  const sweep = setInterval(() => {
    for (const sandbox of all)
      if (sandbox.isFree && Date.now() - sandbox.idleSinceMs > idleSeconds * 1000) void sandbox.close();
  }, SWEEP_MS);
  sweep.unref();

  return {
    run: (callback) =>
      new Promise((resolve) => {
        queue.push({ callback, resolve });
        next();
      }),
    close: async () => {
      closed = true;
      clearInterval(sweep);
      await Promise.all([...all].map((sandbox) => sandbox.close()));
    },
  };
}
