/** One port in front of everything, as CloudFront and API Gateway are on AWS: decides by path who answers. */
import { createServer, type IncomingMessage, type RequestListener, type Server, STATUS_CODES } from 'node:http';
import { answererOf, pathOf } from '../api/dispatch.ts';
import type { Group } from '../api/route.ts';
import { continueWhenRead } from '../gateway/expect-continue.ts';
import { listener } from '../gateway/listener.ts';
import { limitClient } from '../gateway/slow-client.ts';
import { apiLimits, EDGE_SERVER, type EdgeOptions, edge } from '../local/edge.ts';
import { foreignHost, foreignPage, type WebGuard, type WebRefusal } from '../local/wire/web-guard.ts';

/** Who answers, by group of the route table. */
export type Doors = Readonly<Record<Group, RequestListener>>;

export interface FrontDoor {
  readonly port: number;
  /** From now on requests are answered; before, all get 503. */
  open(doors: Doors): void;
  close(): Promise<void>;
}

export interface FrontDoorOptions {
  /** Names besides those of loopback that the service is reached by, lower case: a request to any other gets 421. */
  readonly hosts?: readonly string[];
  /** Origins of other sites whose pages may change things, `*` all: those that CORS is answered for. */
  readonly origins?: readonly string[];
  /** Milliseconds for the headers of a request. Default one minute. */
  readonly headersMs?: number;
  /**
   * Milliseconds for a whole body that is not image bytes, of which the gateway judges the pace, and for a client to take something of
   * its answer. Default one minute.
   */
  readonly clientMs?: number;
  /** Keep errors and limit requests as the edge of a deployment does. */
  readonly edge?: EdgeOptions | undefined;
}

const DEFAULT_MS = 60_000;

/** Takes the port. @throws Error with one line when it is busy */
export async function takeFrontDoor(port: number, options: FrontDoorOptions = {}): Promise<FrontDoor> {
  const { headersMs = DEFAULT_MS, clientMs = DEFAULT_MS } = options;
  let open: RequestListener | undefined;
  const answer = listener((request, response) => {
    const refusal = foreign(request, options);
    if (refusal !== undefined) {
      response
        .writeHead(refusal.status, { 'content-type': 'text/plain', connection: 'close' })
        .end(`${refusal.status} ${STATUS_CODES[refusal.status]}: ${refusal.message}\n`);
      return;
    }
    if (open === undefined) {
      response.writeHead(503, { 'content-type': 'text/plain', 'retry-after': '1' }).end('STARTING');
      request.resume();
      return;
    }
    open(request, response);
  });
  const server = createServer(
    {
      keepAliveTimeout: 65_000,
      headersTimeout: headersMs,
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(30_000, headersMs),
      ...(options.edge && EDGE_SERVER),
    },
    answer,
  );
  continueWhenRead(server, answer);
  await listen(server, port);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    open: (doors) => {
      open =
        options.edge === undefined
          ? byPath(doors, clientMs)
          : edge(byPath(withApiLimits(doors), clientMs), options.edge);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), 2_000).unref();
      }),
  };
}

/** Of methods that change nothing: a browser shows their answers to nobody without CORS. */
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * What any page can send without being asked first, it can send a thousand times: log-ins with wrong passwords, until this machine's
 * address may try no more.
 */
function foreign({ method = '', headers }: IncomingMessage, options: FrontDoorOptions): WebRefusal | undefined {
  const { hosts = [], origins = [] } = options;
  const guard: WebGuard = { hosts, mayCome: (origin) => origins.includes(origin) || origins.includes('*') };
  return foreignHost(headers, guard) ?? (READS.has(method) ? undefined : foreignPage(headers, guard));
}

const byPath =
  (doors: Doors, clientMs: number): RequestListener =>
  (request, response) => {
    const group = answererOf(pathOf(request.url ?? '/'));
    if (group !== 'gateway') limitClient(request, response, clientMs);
    doors[group](request, response);
  };

const withApiLimits = ({ gateway, images, identity, metadefs }: Doors): Doors => ({
  gateway,
  images: apiLimits(images),
  identity: apiLimits(identity),
  metadefs: apiLimits(metadefs),
});

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`port ${port} is in use; stop what holds it or set GLIMPSE_PORT`, { cause: error })
          : error,
      ),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
}
