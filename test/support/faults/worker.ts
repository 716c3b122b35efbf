/** Calls at work: which call reads or writes what, so that a fault can strike one of them between two of its writes. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ImportRig } from '../memory/imports.ts';
import type { StoreCall } from '../memory/store.ts';

/** What becomes of a worker at its write `at`, counted from 1, before the write or after it and before its answer. */
export interface Strike {
  readonly at: number;
  readonly when: 'before' | 'after';
  /** What it throws the write throws; while it takes its time, the worker stands still. */
  how(worker: Worker): Promise<void>;
}

/** One call of a step, wherever it reaches. */
export class Worker {
  /** Writes that took effect. */
  writes = 0;
  #begun = 0;
  #gate: Promise<void> | undefined;
  #isDead = false;
  readonly #strikes: readonly Strike[];

  constructor(strikes: readonly Strike[]) {
    this.#strikes = strikes;
  }

  /** Neither reads nor writes until then. */
  standStill(until: Promise<void>): Promise<void> {
    this.#gate = until;
    return until;
  }

  /** Its process is gone: whatever it still tries comes to nothing. @throws Error */
  die(): never {
    this.#isDead = true;
    throw new Error('this process is gone');
  }

  async begin(isWrite: boolean): Promise<void> {
    await this.#gate;
    if (this.#isDead) this.die();
    if (!isWrite) return;
    this.#begun += 1;
    await this.#struck(this.#begun, 'before');
  }

  async end(): Promise<void> {
    this.writes += 1;
    await this.#struck(this.writes, 'after');
    await this.#gate;
  }

  async #struck(at: number, when: Strike['when']): Promise<void> {
    for (const strike of this.#strikes) if (strike.at === at && strike.when === when) await strike.how(this);
  }
}

const atWork = new AsyncLocalStorage<Worker>();

/** Runs a call as a worker of its own. */
export function work<T>(run: () => Promise<T>, strikes: readonly Strike[] = []): { worker: Worker; done: Promise<T> } {
  const worker = new Worker(strikes);
  const done = atWork.run(worker, async () => run());
  done.catch(() => undefined);
  return { worker, done };
}

/** Methods of ports that change nothing; whatever else a port has is a write. */
const READS = /^(get|list\w*|batch|batches|rates|due|count|projects|statusOf)$/;
const STORE_READS: readonly StoreCall['method'][] = ['headObject', 'getRange', 'getObject'];
/** Of a write; of half a minute an import has some hundred. */
const WRITE_MS = 300;

/** Tells workers of every call of the rig's ports and stores, and lets time pass with each write. */
export function watched(rig: ImportRig): void {
  const { images, tasks, duties, usage, members, workflows, time } = rig.deps;
  const ports = { images, tasks, duties, usage, members, workflows };
  for (const [name, port] of Object.entries(ports)) Object.assign(rig.deps, { [name]: watchedPort(port, time) });
  for (const store of [rig.staging, ...Object.values(rig.stores)]) {
    store.fault = async ({ method }) => {
      time.nowMs += WRITE_MS;
      await atWork.getStore()?.begin(!STORE_READS.includes(method));
    };
    store.answering = async () => atWork.getStore()?.end();
  }
}

function watchedPort<T extends object>(port: T, time: { nowMs: number }): T {
  return new Proxy(port, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver);
      if (typeof method !== 'function') return method;
      const isWrite = !READS.test(String(name));
      return async (...given: unknown[]) => {
        const worker = atWork.getStore();
        if (isWrite) time.nowMs += WRITE_MS;
        await worker?.begin(isWrite);
        const answer: unknown = await method.apply(target, given);
        if (isWrite) await worker?.end();
        return answer;
      };
    },
  });
}
