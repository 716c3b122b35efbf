/**
 * The functions that exist: a name leads to the callback URL of the process that runs it. Invoking one is a POST to that URL;
 * see `Callback` for the protocol. runtime.ts is the other end of it.
 */
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { isObject, type Json } from '../wire/json.ts';
import { errorIn, type FunctionError, RESPONSE_LIMIT, responseTooLarge, timedOut } from './function-error.ts';

/** A registered function. */
export interface FunctionRecord {
  name: string;
  /** Where it is called, http only. */
  url: string;
  timeoutSeconds: number;
  /** Passed through to GetFunction; nothing here depends on it. */
  memoryMiB: number;
  description: string;
}

/** The body that a callback receives. It answers 200 with a CallbackAnswer. */
export interface Callback {
  event: Json;
  context: { awsRequestId: string; functionName: string; invokedFunctionArn: string; deadlineMs: number };
}

/** What a callback answers: what the function returned, or the error it threw. */
export type CallbackAnswer = { payload: Json } | { error: FunctionError };

/** The function does not exist. */
export class NoSuchFunction extends Error {}
/** The process behind the callback cannot be reached, or broke the protocol: what a service error is on AWS. */
export class Unreachable extends Error {}

export interface Functions {
  register(record: FunctionRecord): void;
  remove(name: string): boolean;
  get(name: string): FunctionRecord | undefined;
  list(): FunctionRecord[];
  /** Calls a function and waits for its end. Throws NoSuchFunction or Unreachable; the function's own error is an answer. */
  invoke(name: string, event: Json): Promise<CallbackAnswer>;
  /** As invoke, but waits for a function that registers before `untilMs` (milliseconds since the epoch). */
  invokeWhenRegistered(name: string, event: Json, untilMs: number): Promise<CallbackAnswer>;
  /** Called after each registration. */
  onRegister(listener: () => void): void;
  close(): void;
}

/** Waits between attempts to reach a callback whose process is just restarting, in milliseconds. */
const RECONNECT_DELAYS_MS = [50, 100, 200, 400, 800];

/** Makes an empty register. `timeoutScale` multiplies every function's time limit. */
export function openFunctions(options: { timeoutScale?: number } = {}): Functions {
  const records = new Map<string, FunctionRecord>();
  const listeners: (() => void)[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const scale = options.timeoutScale ?? 1;

  const invoke = async (name: string, event: Json): Promise<CallbackAnswer> => {
    const record = records.get(name);
    if (record === undefined) throw new NoSuchFunction(`Function not found: ${functionArn(name)}`);
    return await call(agent, record, event, scale);
  };
  const invokeWhenRegistered = async (name: string, event: Json, untilMs: number): Promise<CallbackAnswer> => {
    while (!records.has(name) && Date.now() < untilMs) await sleep(20);
    return await invoke(name, event);
  };
  return {
    register: (record) => {
      records.set(record.name, record);
      for (const listener of listeners) listener();
    },
    remove: (name) => records.delete(name),
    get: (name) => records.get(name),
    list: () => [...records.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    invoke,
    invokeWhenRegistered,
    onRegister: (listener) => listeners.push(listener),
    close: () => agent.destroy(),
  };
}

/** The ARN of a function. */
export const functionArn = (name: string): string => `arn:aws:lambda:us-east-1:000000000000:function:${name}`;

async function call(agent: Agent, record: FunctionRecord, event: Json, scale: number): Promise<CallbackAnswer> {
  const limitMs = record.timeoutSeconds * 1000 * scale;
  const awsRequestId = randomUUID();
  const context = {
    awsRequestId,
    functionName: record.name,
    invokedFunctionArn: functionArn(record.name),
    deadlineMs: Date.now() + limitMs,
  };
  const timer = new AbortController();
  // The function is not stopped: like a worker that ignores its deadline, it may still write afterwards.
  const timeout = sleep(limitMs, undefined, { signal: timer.signal, ref: false }).then(
    (): CallbackAnswer => ({ error: timedOut(awsRequestId, limitMs / 1000) }),
  );
  timeout.catch(() => undefined);
  const answer = reach(agent, record, JSON.stringify({ event, context } satisfies Callback));
  answer.catch(() => undefined);
  try {
    return await Promise.race([answer, timeout]);
  } finally {
    timer.abort();
  }
}

async function reach(agent: Agent, record: FunctionRecord, body: string): Promise<CallbackAnswer> {
  for (const delayMs of [...RECONNECT_DELAYS_MS, undefined]) {
    try {
      return answerOf(record, await post(agent, record.url, body));
    } catch (error) {
      if (!(error instanceof NotConnected)) throw error;
      if (delayMs === undefined) throw unreachable(record, error);
      await sleep(delayMs);
    }
  }
  throw new Unreachable(record.name);
}

const unreachable = (record: FunctionRecord, cause: Error): Unreachable =>
  new Unreachable(`${record.name} at ${record.url}: ${cause.message}`, { cause });

function answerOf(record: FunctionRecord, text: string): CallbackAnswer {
  if (text.length > RESPONSE_LIMIT) return { error: responseTooLarge() };
  const value: unknown = JSON.parse(text);
  if (isObject(value) && isObject(value['error'])) return { error: errorIn(value['error']) };
  if (isObject(value)) return { payload: value['payload'] ?? null };
  throw new Unreachable(`${record.name}: its callback answered neither payload nor error`);
}

/** The request did not reach the function: sending it again cannot run it twice. */
class NotConnected extends Error {}

function post(agent: Agent, url: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const req = request(url, { method: 'POST', agent, headers }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('error', (error) => reject(new Unreachable(error.message, { cause: error })));
      res.on('end', () => {
        if (res.statusCode === 200) resolve(Buffer.concat(chunks).toString('utf8'));
        else reject(new Unreachable(`${url} answered ${res.statusCode}`));
      });
    });
    req.on('error', (error: NodeJS.ErrnoException) => {
      // A kept-alive socket that the other side closed meanwhile resets before anything was read.
      const unsent = error.code === 'ECONNREFUSED' || (req.reusedSocket && error.code === 'ECONNRESET');
      reject(unsent ? new NotConnected(error.message) : new Unreachable(error.message, { cause: error }));
    });
    req.end(body);
  });
}
