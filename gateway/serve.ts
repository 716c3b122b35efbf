import { createServer, type RequestListener, type Server } from 'node:http';
import { continueWhenRead } from './expect-continue.ts';
import { listener } from './listener.ts';

/** A gateway behind a load balancer: its health is what routes requests to it, and it ends without cutting a transfer. */
export interface GatewayServer {
  readonly server: Server;
  /**
   * Reports itself unhealthy, takes no more connections and resolves when the transfers under way have ended, or after `graceMs`;
   * what is cut then is cleaned by the janitor. Idempotent.
   */
  drain(graceMs: number): Promise<void>;
}

/** Longer than the load balancer's idle timeout (4,000 s at most), so that it is never we who close a connection it reuses. */
const KEEP_ALIVE_MS = 4_100_000;
/** Time for the headers alone; a body may take as long as it needs while it moves (pump.ts). */
const HEADERS_MS = 60_000;
const HEALTH = '/healthcheck';

/** Wraps the gateway in a server with a health check. */
export function createGatewayServer(gateway: RequestListener): GatewayServer {
  let drained: Promise<void> | undefined;
  const answer = listener((request, response) => {
    if (drained !== undefined) response.setHeader('connection', 'close');
    if (request.url !== HEALTH) return gateway(request, response);
    const [status, body] = drained === undefined ? [200, 'OK'] : [503, 'DRAINING'];
    response.writeHead(status, { 'content-type': 'text/plain' }).end(request.method === 'HEAD' ? undefined : body);
  });
  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEADERS_MS, requestTimeout: 0 },
    answer,
  );
  continueWhenRead(server, answer);
  return {
    server,
    drain(graceMs) {
      drained ??= new Promise((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), graceMs);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      });
      return drained;
    },
  };
}
