/**
 * Hosts functions for the embedded Lambda: an HTTP listener that maps a name to a handler in this thread, to a module that runs in a pool
 * of worker threads, or to a package that runs in processes of its own (sandbox.ts). Heavy work (rendering, hashing) belongs into a pool.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen } from '../front.ts';
import { readBody, send } from '../wire/body.ts';
import type { Callback, CallbackAnswer } from './functions.ts';
import { answerOf, type Handler } from './handler.ts';
import { type Reaper, startReaper } from './reaper.ts';
import type { PackagedFunction } from './sandbox.ts';
import { openSandboxes, type Sandboxes, type SandboxOptions } from './sandboxes.ts';
import { type PoolOptions, type WorkerPool, workerPool } from './worker-pool.ts';

/** A function that runs in a worker thread: `module` is a file URL, `pool` a name of `HostOptions.pools`. */
export interface ModuleFunction {
  module: string;
  export: string;
  pool: string;
}

/** What hosts need to know. */
export interface HostOptions {
  functions: Record<string, Handler | ModuleFunction | PackagedFunction>;
  /** Pools by name; a pool that a function names and that is absent here has default options. */
  pools?: Record<string, PoolOptions>;
  /** Of every packaged function. */
  sandboxes?: SandboxOptions;
}

export interface FunctionHost {
  /** The callback URL of a function, to be registered. */
  urlOf(name: string): string;
  /** Registers every function with an embedded AWS. `settings` are per name: timeoutSeconds, memoryMiB, description. */
  register(endpoint: string, settings?: Record<string, object>, controlToken?: string): Promise<void>;
  close(): Promise<void>;
}

/** A callback's body is an event of at most 6 MB and its envelope. */
const BODY_LIMIT = 8 * 1024 * 1024;

/** Starts the listener on a free port of 127.0.0.1. */
export async function hostFunctions(options: HostOptions): Promise<FunctionHost> {
  const pools = new Map<string, WorkerPool>();
  const poolOf = (name: string): WorkerPool => {
    const known = pools.get(name);
    if (known !== undefined) return known;
    const pool = workerPool(options.pools?.[name]);
    pools.set(name, pool);
    return pool;
  };
  const packaged = new Map<string, Sandboxes>();
  let reaper: Reaper | undefined;
  const sandboxesOf = (name: string, fn: PackagedFunction): Sandboxes => {
    reaper ??= startReaper();
    const sandboxes = packaged.get(name) ?? openSandboxes(name, fn, reaper, options.sandboxes);
    packaged.set(name, sandboxes);
    return sandboxes;
  };
  const call = async (name: string, callback: Callback): Promise<CallbackAnswer | undefined> => {
    const target = Object.hasOwn(options.functions, name) ? options.functions[name] : undefined;
    if (target === undefined) return undefined;
    if (typeof target === 'function') return await answerOf(target, callback);
    if ('folder' in target) return await sandboxesOf(name, target).run(callback);
    return await poolOf(target.pool).run({ ...callback, module: target.module, export: target.export });
  };
  const listener = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    try {
      const callback = JSON.parse((await readBody(req, BODY_LIMIT)).toString('utf8')) as Callback;
      const answer = await call(decodeURIComponent((req.url ?? '/').slice(1)), callback);
      send(res, answer === undefined ? 404 : 200, { 'content-type': 'application/json' }, JSON.stringify(answer ?? {}));
    } catch (error) {
      send(res, 400, { 'content-type': 'text/plain' }, error instanceof Error ? error.message : String(error));
    }
  };
  const { port, close } = await listen(listener, 0);
  const urlOf = (name: string) => `http://127.0.0.1:${port}/${encodeURIComponent(name)}`;
  return {
    urlOf,
    register: async (endpoint, settings = {}, controlToken = '') => {
      await Promise.all(
        Object.keys(options.functions).map((name) =>
          put(`${endpoint}/_glimpse/lambda/${name}`, { url: urlOf(name), ...settings[name] }, controlToken),
        ),
      );
    },
    close: async () => {
      await close();
      await Promise.all([...pools.values(), ...packaged.values()].map((each) => each.close()));
      reaper?.close();
    },
  };
}

async function put(url: string, body: object, controlToken: string): Promise<void> {
  const headers = { 'content-type': 'application/json', 'x-glimpse-control': controlToken };
  const response = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
}
