import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  Agent as PlainAgent,
  request as plainRequest,
  type RequestListener,
} from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { pipeline } from 'node:stream';
import { urlToHttpOptions } from 'node:url';
import { cacheControl } from '../api/cache-control.ts';
import { CLIENT_HEADER, EDGE_HEADER, lastHop, vouchedClient } from '../api/client-address.ts';
import { answererOf, pathOf } from '../api/dispatch.ts';
import { listener } from './listener.ts';
import { limitClient } from './slow-client.ts';

/** Of one connection, not of the message (RFC 9110, section 7.6.1); `host` is the API's own, `expect` is answered here, and who the client is we say. */
const HOP_BY_HOP = new Set([
  CLIENT_HEADER,
  EDGE_HEADER,
  'connection',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** An HTTP API answers within 30 seconds; what is silent for longer is gone. */
const SILENCE_MS = 35_000;

/** For the body of a request that is not image bytes, and for a client to take something of its answer. */
const CLIENT_MS = 60_000;

/**
 * Image bytes to `gateway`, which judges the pace of clients itself, everything else to `other`: behind a load balancer one process has
 * the whole public name.
 */
export function byPath(
  gateway: RequestListener,
  other: RequestListener,
  clientMs: number = CLIENT_MS,
): RequestListener {
  return listener((request, response) => {
    if (answererOf(pathOf(request.url ?? '')) === 'gateway') return gateway(request, response);
    limitClient(request, response, clientMs);
    other(request, response);
  });
}

/**
 * Hands requests on to the API at `origin` and streams its answers back; 502 when it cannot be reached. Host and port are the
 * origin's whatever the request says. No size limit of its own, so that long listings pass, which a load balancer's function targets
 * would cut at 1 MB.
 * @param edgeSecret with it, the API is told who the client is: whom the edge names, else the hop before our load balancer
 */
export function forwardTo(origin: string, edgeSecret?: string): RequestListener {
  const base = new URL(origin);
  const tls = base.protocol === 'https:';
  const send = tls ? tlsRequest : plainRequest;
  const place = urlToHttpOptions(base);
  const agent = tls ? new TlsAgent({ keepAlive: true }) : new PlainAgent({ keepAlive: true });
  return listener((request, response) => {
    const onward = send({
      ...place,
      path: request.url ?? '/',
      method: request.method ?? 'GET',
      headers: { ...endToEnd(request.headers), ...clientHeaders(request, edgeSecret) },
      agent,
      timeout: SILENCE_MS,
    });
    const fail = (): void => {
      if (response.headersSent) response.destroy();
      else {
        const headers = { 'content-type': 'text/plain', 'cache-control': cacheControl(false), connection: 'close' };
        response.writeHead(502, headers).end('Bad Gateway');
      }
    };
    onward.on('timeout', () => onward.destroy());
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
      pipeline(answer, response, () => undefined);
    });
    pipeline(request, onward, (error) => {
      if (error) fail();
    });
    response.on('close', () => {
      if (!response.writableFinished) onward.destroy();
    });
  });
}

/** What a client wrote of these itself is passed on nowhere. */
function clientHeaders({ headers, socket }: IncomingMessage, edgeSecret: string | undefined): OutgoingHttpHeaders {
  if (edgeSecret === undefined) return {};
  const client = vouchedClient(headers, edgeSecret) ?? lastHop(headers) ?? socket.remoteAddress;
  return { [CLIENT_HEADER]: client, [EDGE_HEADER]: edgeSecret };
}

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = new Set((headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name) && !named.has(name)));
}
