/**
 * Each function, container and the gateway under credentials of its own, as on AWS, for a run whose embedded AWS asks policies
 * (`iam` in GLIMPSE_LOCAL_STRICT): the access key id is the name of the role. Functions run in threads with an environment of their own,
 * or as packages in processes (as-deployed.ts), the gateway in a process. What an operator does (provisioning, first accounts, the standard catalog) acts as who started it.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { forwarder } from '../local/front.ts';
import { httpApi } from '../local/http-api/http-api.ts';
import type { CallbackAnswer } from '../local/lambda/functions.ts';
import { startReaper } from '../local/lambda/reaper.ts';
import type { FunctionHost, HostOptions } from '../local/lambda/runtime.ts';
import { ENVIRONMENT } from '../service/environment.ts';
import { FUNCTIONS, type FunctionName } from '../workflows/topology.ts';
import { freePort } from './free-port.ts';
import type { Doors } from './front-door.ts';

const NAMES = Object.keys(FUNCTIONS) as FunctionName[];

/** What a container or the gateway acts as; functions act as their own name. */
export const GATEWAY_ROLE = 'gateway';
export const containerRole = (step: string): string => `${step}-container`;

/** What makes a process or a thread act as a role. */
export const credentialsOf = (role: string): Record<string, string> => ({ AWS_ACCESS_KEY_ID: role });

/** Every function as a module in a pool of its own; the API's as well. */
export function functionsUnderRoles(threads: number, maxYoungMiB: number): HostOptions {
  const functions = NAMES.map((name) => {
    const { handler } = FUNCTIONS[name];
    const at = handler.lastIndexOf('.');
    const module = new URL(`../${handler.slice(0, at)}.ts`, import.meta.url).href;
    return [name, { module, export: handler.slice(at + 1), pool: name }] as const;
  });
  const pools = NAMES.map((name) => [name, { size: threads, maxYoungMiB, env: credentialsOf(name) }] as const);
  return { functions: Object.fromEntries(functions), pools: Object.fromEntries(pools) };
}

/** The doors of the functions that answer the API, and of a gateway in a process of its own. */
export async function doorsUnderRoles(host: FunctionHost): Promise<{ doors: Doors; close(): Promise<void> }> {
  const gateway = await startGateway();
  const doorOf = (name: FunctionName): RequestListener => {
    const api = httpApi({ handler: remote(host.urlOf(name)), functionName: name });
    return (request, response) => void api(request, response);
  };
  const forward = forwarder(() => gateway.port);
  const doors = {
    images: doorOf('api-images'),
    identity: doorOf('api-identity'),
    metadefs: doorOf('api-metadefs'),
    gateway: ((request, response) => void forward(request, response)) satisfies RequestListener,
  };
  return { doors, close: gateway.close };
}

/** Largest event of a function, in bytes: what an HTTP API takes may be more. */
const EVENT_LIMIT = 6 * 1024 * 1024;

/** An HTTP API's answer to a request that its function cannot be given. */
class RequestTooLong extends Error {
  override readonly name = 'Request Too Long';
  readonly statusCode = 413;
}

/** A handler behind the callback URL of a host. @throws RequestTooLong, Error with the type and message that the handler threw */
function remote(url: string) {
  return async (event: unknown, { getRemainingTimeInMillis, ...context }: { getRemainingTimeInMillis(): number }) => {
    if (Buffer.byteLength(JSON.stringify(event)) > EVENT_LIMIT)
      throw new RequestTooLong(`An event of a function has at most ${EVENT_LIMIT} bytes.`);
    const deadlineMs = Date.now() + getRemainingTimeInMillis();
    const body = JSON.stringify({ event, context: { ...context, deadlineMs } });
    const response = await fetch(url, { method: 'POST', body });
    const answer = (await response.json()) as CallbackAnswer;
    if ('error' in answer) throw new Error(`${answer.error.errorType}: ${answer.error.errorMessage}`);
    return answer.payload;
  };
}

async function startGateway(): Promise<{ port: number; close(): Promise<void> }> {
  const port = await freePort();
  const main = fileURLToPath(new URL('../gateway/main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main], {
    env: { ...process.env, ...credentialsOf(GATEWAY_ROLE), [ENVIRONMENT.gatewayPort]: String(port) },
    stdio: 'inherit',
  });
  // A killed parent takes it along, and leaves its port free.
  const reaper = startReaper();
  if (child.pid !== undefined) reaper.watch(child.pid);
  await listens(child, port);
  const close = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    if (child.pid !== undefined) reaper.forget(child.pid);
    reaper.close();
  };
  return { port, close };
}

/** @throws Error when the process ends before it listens */
async function listens(child: ChildProcess, port: number): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the gateway's process ended: exit ${child.exitCode ?? child.signalCode}`);
}
