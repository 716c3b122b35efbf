/** The one port of the embedded AWS: JSON services by header or path, S3 for everything else. */
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AwsError, toAwsError } from './wire/aws-error.ts';
import { send } from './wire/body.ts';
import { limitSilence } from './wire/slow-body.ts';
import { isOriginForm } from './wire/target.ts';
import { foreignHost, foreignPage, type WebGuard } from './wire/web-guard.ts';

/** Answers requests; what it throws is answered by a 500. */
export type RequestHandler = (req: IncomingMessage, res: ServerResponse) => Promise<void> | void;

/** A listening port. */
export interface Listener {
  readonly port: number;
  /** Stops accepting, drops idle and busy connections. */
  close(): Promise<void>;
}

/** True when a request belongs to a JSON service; everything else on the port is S3. */
function isControlRequest(req: IncomingMessage): boolean {
  if (req.headers['x-amz-target'] !== undefined) return true;
  return /^\/(2015-03-31\/|_glimpse\/(?!s3\/)|schedules([/?]|$))/.test(req.url ?? '/');
}

/** Sends requests where they belong. */
export function front(control: RequestHandler, s3: RequestHandler): RequestHandler {
  return (req, res) => (isControlRequest(req) ? control(req, res) : s3(req, res));
}

export interface ListenOptions extends Pick<WebGuard, 'hosts'> {
  /** What pages of an origin may send all the same; default: nothing. */
  readonly mayCome?: (origin: string, req: IncomingMessage) => boolean;
  /** Milliseconds for the headers of a request. Default one minute. */
  readonly headersMs?: number;
  /** Milliseconds that a client may be silent in the middle of its body. Default one minute. */
  readonly silenceMs?: number;
}

const DEFAULT_HEADERS_MS = 60_000;
const DEFAULT_SILENCE_MS = 60_000;

/**
 * Listens on 127.0.0.1; a request whose target is no path gets 400, one sent to a foreign name 421, one of another site's page 403.
 * A body may take as long as it moves. Throws one clear error when the port is taken. Port 0: any free port.
 */
export async function listen(handler: RequestHandler, port: number, options: ListenOptions = {}): Promise<Listener> {
  const { hosts = [], headersMs = DEFAULT_HEADERS_MS, silenceMs = DEFAULT_SILENCE_MS } = options;
  const answer =
    (expecting: boolean) =>
    (req: IncomingMessage, res: ServerResponse): void => {
      const mayCome = (origin: string): boolean => options.mayCome?.(origin, req) === true;
      const refusal = foreignHost(req.headers, { hosts }) ?? foreignPage(req.headers, { hosts, mayCome });
      if (refusal !== undefined) {
        const message = JSON.stringify({ __type: 'AccessDeniedException', message: refusal.message });
        send(res, refusal.status, { 'content-type': 'application/json', connection: 'close' }, message);
        return;
      }
      if (expecting) res.writeContinue();
      limitSilence(req, res, silenceMs);
      guarded(handler, req, res).catch(() => res.destroy());
    };
  const server = createServer(
    {
      keepAliveTimeout: 60_000,
      headersTimeout: headersMs,
      requestTimeout: 0,
      connectionsCheckingInterval: checks(headersMs),
    },
    answer(false),
  );
  // Whoever is refused learns it before he sends the body.
  server.on('checkContinue', answer(true));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(taken ? new Error(`port ${port} on 127.0.0.1 is already in use`, { cause: error }) : error);
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => closed(server) };
}

async function guarded(handler: RequestHandler, req: IncomingMessage, res: ServerResponse): Promise<void> {
  try {
    if (!isOriginForm(req.url)) throw new AwsError('InvalidURI', 'the request target is not a path');
    await handler(req, res);
  } catch (caught) {
    const error = toAwsError(caught);
    if (res.headersSent) res.destroy();
    else send(res, error.status, { 'content-type': 'application/json' }, JSON.stringify({ __type: error.code }));
  }
}

/** How often late headers are looked for. */
const checks = (headersMs: number): number => Math.min(30_000, headersMs);

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/**
 * Forwards requests to another process on this machine over kept-alive connections. `port` is asked for at each request, so
 * that the other process may come back on another one; undefined: 503.
 */
export function forwarder(port: () => number | undefined): RequestHandler {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  return (req, res) => {
    const target = port();
    if (target === undefined) return unavailable(res);
    const { method, url: path, headers } = req;
    const upstream = request({ host: '127.0.0.1', port: target, method, path, headers, agent }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(res);
      answer.on('error', () => res.destroy());
    });
    upstream.on('error', () => (res.headersSent ? res.destroy() : unavailable(res)));
    res.on('close', () => {
      if (!res.writableFinished) upstream.destroy();
    });
    req.pipe(upstream);
  };
}

function unavailable(res: ServerResponse): void {
  const headers = { 'content-type': 'application/x-amz-json-1.0' };
  const message = 'the embedded AWS is not ready';
  send(res, 503, headers, JSON.stringify({ __type: 'ServiceUnavailableException', message }));
}
