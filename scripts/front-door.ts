/** One port in front of everything, as CloudFront and API Gateway are on AWS: decides by path who answers. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { answererOf, pathOf } from '../api/dispatch.ts';
import type { Group } from '../api/route.ts';
import { listener } from '../gateway/listener.ts';
import { apiLimits, EDGE_SERVER, type EdgeOptions, edge } from '../local/edge.ts';

/** Who answers, by group of the route table. */
export type Doors = Readonly<Record<Group, RequestListener>>;

export interface FrontDoor {
  readonly port: number;
  /** From now on requests are answered; before, all get 503. */
  open(doors: Doors): void;
  close(): Promise<void>;
}

/**
 * Takes the port.
 * @param strict keep errors and limit requests as the edge of a deployment does
 * @throws Error with one line when it is busy
 */
export async function takeFrontDoor(port: number, strict?: EdgeOptions): Promise<FrontDoor> {
  let answer: RequestListener = (request, response) => {
    response.writeHead(503, { 'content-type': 'text/plain', 'retry-after': '1' }).end('STARTING');
    request.resume();
  };
  const server = createServer(
    { keepAliveTimeout: 65_000, requestTimeout: 0, ...(strict && EDGE_SERVER) },
    listener((request, response) => answer(request, response)),
  );
  await listen(server, port);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    open: (doors) => {
      answer = strict === undefined ? byPath(doors) : edge(byPath(withApiLimits(doors)), strict);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), 2_000).unref();
      }),
  };
}

const byPath =
  (doors: Doors): RequestListener =>
  (request, response) =>
    doors[answererOf(pathOf(request.url ?? '/'))](request, response);

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
