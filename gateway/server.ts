/**
 * The streaming data plane: image bytes in and out, which no function can carry. It holds no state; any number of them run side by
 * side. Everything else of the API is `functions/api`.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { cacheControl } from '../api/cache-control.ts';
import { corsHeaders } from '../api/cors.ts';
import { errorAnswer, statusOf } from '../api/errors.ts';
import { requestIdOf } from '../api/request-id.ts';
import { type BufferBudget, createBufferBudget } from '../bytes/buffer-budget.ts';
import { Forbidden, MethodNotAllowed, NotFound } from '../core/errors.ts';
import type { Caller } from '../core/identity/caller.ts';
import type { GatewayDeps } from './deps.ts';
import { getFile } from './get-file.ts';
import { discardBody } from './linger.ts';
import { ClientGone } from './pump.ts';
import { putBytes } from './put-bytes.ts';
import { one } from './upload-headers.ts';

export interface GatewayOptions {
  /** Bytes that all uploads of this process may hold in memory. Default 96 MiB. */
  readonly uploadBudgetBytes?: number;
  /** Milliseconds after which a client that sends nothing is given up. Default one minute. */
  readonly stallMs?: number;
  /** Base URL of the identity service, for the challenge of a 401; default: of the request's own host, below `/identity`. */
  readonly identityUrl?: string;
}

/** Six buffers: four uploads at once stay below 400 MiB of process memory above idle, their garbage and the store's included. */
const DEFAULT_BUDGET = 96 * 1024 * 1024;
const DEFAULT_STALL_MS = 60_000;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly imageId: string;
  readonly query: URLSearchParams;
  readonly caller: Caller;
}

type Verb = (gateway: Gateway, exchange: Exchange) => Promise<void>;

interface Gateway {
  readonly deps: GatewayDeps;
  readonly budget: BufferBudget;
  readonly stallMs: number;
}

const put =
  (kind: 'file' | 'stage'): Verb =>
  async ({ deps, budget, stallMs }, { request, response, imageId, caller }) => {
    if (caller.isReadOnly === true) throw new Forbidden('Read-only access');
    await putBytes(deps, caller, kind, imageId, request, { budget, stallMs });
    response.writeHead(204).end();
  };

/** The verbs of each path, below `/v2/images/{id}/`. */
const ROUTES: Readonly<Record<'file' | 'stage', Readonly<Record<string, Verb>>>> = {
  file: {
    GET: ({ deps }, { caller, imageId, query, request, response }) =>
      getFile(deps, caller, imageId, query, request, response),
    PUT: put('file'),
  },
  stage: { PUT: put('stage') },
};

/** `/v2` and its minor versions, which all mean the same. */
export const BYTES_PATH = /^\/v2(?:\.\d+)?\/images\/([^/]+)\/(file|stage)$/;

/** The request listener of GET and PUT `/v2/images/{id}/file` and PUT `…/stage`, for any node HTTP server. */
export function createGateway(deps: GatewayDeps, options: GatewayOptions = {}): RequestListener {
  const gateway: Gateway = {
    deps,
    budget: createBufferBudget(options.uploadBudgetBytes ?? DEFAULT_BUDGET),
    stallMs: options.stallMs ?? DEFAULT_STALL_MS,
  };
  return (request, response) => {
    // A connection that breaks is noticed by whoever reads or writes it.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    answer(gateway, request, response).catch((error: unknown) => refuse(gateway, options, request, response, error));
  };
}

async function answer(gateway: Gateway, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { deps } = gateway;
  const origin = corsHeaders(request.headers.origin, deps.config.cors_allowed_origins, request.method === 'OPTIONS');
  for (const [name, value] of Object.entries(origin)) response.setHeader(name, value);
  if (request.method === 'OPTIONS') {
    response.writeHead(200, { 'content-length': 0 }).end();
    return;
  }
  response.setHeader('cache-control', cacheControl(false));
  const sent = one(request.headers['x-openstack-request-id']);
  const requestId = requestIdOf(sent, deps.config.max_request_id_length, deps.newId);
  const caller = await deps.authenticator.authenticate({
    token: one(request.headers['x-auth-token']) ?? one(request.headers['x-storage-token']),
    serviceToken: one(request.headers['x-service-token']),
    requestId,
  });
  // Behind authentication: a 401 of the token filter carries no request id.
  response.setHeader('x-openstack-request-id', requestId);
  const { verb, imageId, query } = route(request, deps);
  await verb(gateway, { request, response, imageId, query, caller });
}

function route(
  request: IncomingMessage,
  deps: GatewayDeps,
): { readonly verb: Verb; readonly imageId: string; readonly query: URLSearchParams } {
  const [path = '', search = ''] = (request.url ?? '').split('?', 2);
  const [, id, leaf] = BYTES_PATH.exec(path) ?? [];
  if (id === undefined || (leaf !== 'file' && leaf !== 'stage')) throw new NotFound('The resource could not be found.');
  const verbs = ROUTES[leaf];
  const verb = verbs[request.method ?? ''];
  if (verb === undefined) {
    throw new MethodNotAllowed(`The method ${request.method} is not allowed here.`, Object.keys(verbs));
  }
  if (leaf === 'stage' && !deps.config.enabled_import_methods.includes('glance-direct')) {
    throw new NotFound('The resource could not be found.');
  }
  return { verb, imageId: id, query: new URLSearchParams(search) };
}

function refuse(
  { deps }: Gateway,
  options: GatewayOptions,
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
): void {
  if (error instanceof ClientGone || response.headersSent) {
    if (!(error instanceof ClientGone))
      deps.log.error('an answer broke off', { url: request.url, cause: describe(error) });
    response.destroy();
    return;
  }
  if (statusOf(error) >= 500) deps.log.error('a request failed', { url: request.url, cause: describe(error) });
  const { statusCode, headers, body } = errorAnswer(error, {
    accept: request.headers.accept,
    identityUrl: options.identityUrl ?? `http://${request.headers.host ?? 'localhost'}/identity/v3`,
  });
  response.writeHead(statusCode, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
  discardBody(request);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : ` <- ${describe(error.cause)}`;
  return `${error.name}: ${error.message}${cause}`;
}
