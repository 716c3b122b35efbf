/**
 * The streaming data plane: image bytes in and out, which no function can carry. It holds no state; any number of them run side by
 * side. Everything else of the API is `functions/api`.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import {
  type Arrival,
  arrivalId,
  commonHeaders,
  openAnswer,
  preflightAnswer,
  refusal,
  showsId,
  tokensOf,
  told,
} from '../api/edge.ts';
import { createRouter } from '../api/router.ts';
import { type GroupOperations, type Operation, ROUTES } from '../api/routes.ts';
import { withoutGateway } from '../api/without-gateway.ts';
import { createBufferBudget } from '../bytes/buffer-budget.ts';
import { Forbidden, NotFound } from '../core/errors.ts';
import type { Caller } from '../core/identity/caller.ts';
import type { GatewayDeps } from './deps.ts';
import { createDownloadPlaces } from './download-places.ts';
import { type GetOptions, getFile } from './get-file.ts';
import { discardBody } from './linger.ts';
import { listener } from './listener.ts';
import { ClientGone, type Pace } from './pump.ts';
import { type PutOptions, putBytes } from './put-bytes.ts';
import { one } from './upload-headers.ts';

export interface GatewayOptions {
  /** Bytes that all uploads of this process may hold in memory. Default 96 MiB. */
  readonly uploadBudgetBytes?: number;
  /** Bytes that the clients of all downloads may hold in memory, a MiB each. Default 128 MiB. */
  readonly downloadBudgetBytes?: number;
  /** Milliseconds after which a client that sends or takes nothing is given up. Default one minute. */
  readonly stallMs?: number;
  /** Slowest that a transfer may be while others wait for the memory it holds. Default 16 KiB/s over half a minute. */
  readonly pace?: Pace;
  /** Milliseconds a transfer waits for its first memory before it is told to come back. Default one minute. */
  readonly bufferWaitMs?: number;
}

/** Six buffers: four uploads at once stay below 400 MiB of process memory above idle, their garbage and the store's included. */
const DEFAULT_UPLOAD_BUDGET = 96 * 1024 * 1024;
const DEFAULT_DOWNLOAD_BUDGET = 128 * 1024 * 1024;
const DEFAULT_STALL_MS = 60_000;
const DEFAULT_PACE: Pace = { bytesPerSecond: 16 * 1024, windowMs: 30_000 };
const DEFAULT_BUFFER_WAIT_MS = 60_000;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly imageId: string;
  readonly search: URLSearchParams;
  readonly caller: Caller;
}

type Verb = (gateway: Gateway, exchange: Exchange) => Promise<void>;

interface Gateway {
  readonly deps: GatewayDeps;
  readonly upload: PutOptions;
  readonly download: GetOptions;
}

const put =
  (kind: 'file' | 'stage'): Verb =>
  async ({ deps, upload }, { request, response, imageId, caller }) => {
    if (caller.isReadOnly === true) throw new Forbidden('Read-only access');
    await putBytes(deps, caller, kind, imageId, request, upload);
    response.writeHead(204).end();
  };

type ByteOperation = GroupOperations<'gateway'>;

const VERBS: Readonly<Record<ByteOperation, Verb>> = {
  downloadImage: ({ deps, download }, { caller, imageId, search, request, response }) =>
    getFile(deps, caller, imageId, ROUTES.downloadImage.query.parse(search), request, response, download),
  uploadImage: put('file'),
  stageImage: put('stage'),
};
const router = createRouter<Operation>(ROUTES);

/** The request listener of the table's group `gateway`, for any node HTTP server. */
export function createGateway(deps: GatewayDeps, options: GatewayOptions = {}): RequestListener {
  const { stallMs = DEFAULT_STALL_MS, pace = DEFAULT_PACE, bufferWaitMs: waitMs = DEFAULT_BUFFER_WAIT_MS } = options;
  const { uploadBudgetBytes = DEFAULT_UPLOAD_BUDGET, downloadBudgetBytes = DEFAULT_DOWNLOAD_BUDGET } = options;
  const gateway: Gateway = {
    deps,
    upload: { budget: createBufferBudget(uploadBudgetBytes), stallMs, pace, waitMs },
    download: { places: createDownloadPlaces({ budgetBytes: downloadBudgetBytes, waitMs }), stallMs, pace },
  };
  return listener(async (request, response) => {
    const arrival = arrivalOf(request);
    const known: Known = {};
    try {
      await answer(gateway, arrival, known, request, response);
    } catch (error) {
      refuse(deps, arrival, known, request, response, error);
    }
  });
}

/** What is found out on the way. */
interface Known {
  requestId?: string;
}

async function answer(
  gateway: Gateway,
  arrival: Arrival,
  known: Known,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { deps } = gateway;
  const requestId = arrivalId(arrival, deps);
  known.requestId = requestId;
  const preflight = preflightAnswer(arrival);
  if (preflight !== undefined) {
    const headers = { ...commonHeaders(arrival, deps.config, undefined), 'content-length': 0 };
    response.writeHead(preflight.statusCode, headers).end();
    return;
  }
  const caller = await deps.authenticator.authenticate(tokensOf(arrival, requestId));
  for (const [name, value] of Object.entries(commonHeaders(arrival, deps.config, requestId)))
    response.setHeader(name, value);
  const { operation, imageId } = matched(arrival, deps);
  // On one machine, where it is switched off to see what a stage without one does.
  if (deps.config.gateway === 'off') throw withoutGateway(arrival.method);
  const search = new URLSearchParams(request.url?.split('?', 2)[1] ?? '');
  await VERBS[operation](gateway, { request, response, imageId, search, caller });
}

/** @throws NotFound for what another group answers, MethodNotAllowed */
function matched(
  arrival: Arrival,
  { config }: Pick<GatewayDeps, 'config'>,
): { readonly operation: ByteOperation; readonly imageId: string } {
  const opened = openAnswer(arrival, config);
  const { operation, params } = router.match(arrival.method, 'path' in opened ? opened.path : arrival.path);
  const isStaging = operation === 'stageImage' && config.enabled_import_methods.includes('glance-direct');
  if (operation !== 'downloadImage' && operation !== 'uploadImage' && !isStaging)
    throw new NotFound('The resource could not be found.');
  return { operation, imageId: ROUTES[operation].params.parse(params).id };
}

function refuse(
  deps: GatewayDeps,
  arrival: Arrival,
  { requestId }: Known,
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
): void {
  if (error instanceof ClientGone || response.headersSent) {
    if (!(error instanceof ClientGone))
      deps.log.error('an answer broke off', { requestId, path: arrival.path, error: told(error) });
    response.destroy();
    return;
  }
  const { statusCode, headers, body } = refusal(error, arrival, deps, requestId);
  const common = commonHeaders(arrival, deps.config, showsId(error) ? requestId : undefined);
  response.writeHead(statusCode, { ...headers, ...common, 'content-length': Buffer.byteLength(body) }).end(body);
  discardBody(request);
}

function arrivalOf(request: IncomingMessage): Arrival {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, one(value)]));
  return { method: request.method ?? '', path: request.url?.split('?', 1)[0] ?? '', headers, host: 'localhost' };
}
