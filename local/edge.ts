/**
 * What stands before an origin on AWS and is stricter than it: CloudFront, which keeps errors that nobody forbids to keep and limits what
 * a request may be, and an HTTP API's limit of headers. Sources: CloudFront developer guide, "How CloudFront caches HTTP 4xx and 5xx
 * status codes", "Quotas"; API Gateway developer guide, "Quotas for configuring and running an HTTP API".
 */
import type { IncomingMessage, OutgoingHttpHeaders, RequestListener, ServerResponse } from 'node:http';

export interface EdgeOptions {
  /** Milliseconds for which an error is kept that does not say otherwise; default 10,000. */
  readonly errorTtlMs?: number;
}

interface Kept {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
  readonly untilMs: number;
}

/** Statuses that are kept. */
const KEPT: ReadonlySet<number> = new Set([400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504]);
/** Of which methods. */
const CACHED: ReadonlySet<string> = new Set(['GET', 'HEAD']);
const MAX_URL_BYTES = 8_192;
const MAX_REQUEST_BYTES = 32_768;
/** Request line and headers, at an HTTP API. */
const MAX_API_BYTES = 10_240;
/** An error of so many bytes is not kept here. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Keys kept at once: the oldest goes first. */
const MAX_KEPT = 10_000;

/** For the server of an edge: it must read what is too large, to say so. */
export const EDGE_SERVER = { maxHeaderSize: 128 * 1024 };

/** A listener before a listener. Errors are kept by method, path and query: the token is no part of the key. */
export function edge(origin: RequestListener, { errorTtlMs = 10_000 }: EdgeOptions = {}): RequestListener {
  const kept = new Map<string, Kept>();
  return (request, response) => {
    const refusal = edgeRefusal(request);
    if (refusal !== undefined) return refuse(response, refusal);
    if (!CACHED.has(request.method ?? '')) return origin(request, response);
    const key = `${request.method} ${request.url}`;
    const found = kept.get(key);
    if (found !== undefined && found.untilMs > Date.now()) {
      request.resume();
      response.writeHead(found.status, { ...found.headers, 'x-cache': 'Error from cloudfront' }).end(found.body);
      return;
    }
    kept.delete(key);
    observe(response, (status, body) => {
      const headers = response.getHeaders();
      if (!KEPT.has(status) || mustNotBeKept(headers['cache-control'])) return;
      const [oldest] = kept.keys();
      if (kept.size >= MAX_KEPT && oldest !== undefined) kept.delete(oldest);
      kept.set(key, { status, headers: { ...headers }, body, untilMs: Date.now() + errorTtlMs });
    });
    origin(request, response);
  };
}

/** An HTTP API's own limit, before a function. */
export function apiLimits(api: RequestListener): RequestListener {
  return (request, response) => (sizeOf(request) > MAX_API_BYTES ? refuse(response, 431) : api(request, response));
}

function edgeRefusal(request: IncomingMessage): number | undefined {
  if (Buffer.byteLength(request.url ?? '') > MAX_URL_BYTES) return 414;
  return sizeOf(request) > MAX_REQUEST_BYTES ? 494 : undefined;
}

/** Bytes of the request line and of all headers. */
function sizeOf({ method = '', url = '', rawHeaders }: IncomingMessage): number {
  const line = Buffer.byteLength(`${method} ${url} HTTP/1.1\r\n`);
  // Each name and each value has two bytes with it: `: ` and the end of the line.
  return rawHeaders.reduce((sum, text) => sum + Buffer.byteLength(text, 'latin1') + 2, line);
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify({ message: status === 414 ? 'URI Too Long' : 'Request Header Fields Too Large' }));
}

const mustNotBeKept = (control: unknown): boolean =>
  /\b(?:no-store|no-cache|private|max-age=0|s-maxage=0)\b/.test(String(control ?? ''));

/** Calls back with the whole answer once it was sent, unless it is large. Headers given to `writeHead` are set, so that they can be read. */
function observe(response: ServerResponse, whole: (status: number, body: Buffer) => void): void {
  const { writeHead, write, end } = response;
  const chunks: Buffer[] = [];
  let size = 0;
  const take = (chunk: unknown): void => {
    if (!KEPT.has(response.statusCode) || (typeof chunk !== 'string' && !(chunk instanceof Uint8Array))) return;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk);
    size += bytes.length;
    if (size <= MAX_BODY_BYTES) chunks.push(bytes);
  };
  response.writeHead = (status: number, ...rest: unknown[]) => {
    const headers = rest.at(-1);
    const pairs = Array.isArray(headers) ? pairsOf(headers) : Object.entries(headers ?? {});
    for (const [name, value] of pairs) if (value !== undefined) response.setHeader(name, value as string);
    response.statusCode = status;
    return Reflect.apply(writeHead, response, [status]) as ServerResponse;
  };
  response.write = (...args: unknown[]) => {
    take(args[0]);
    return Reflect.apply(write, response, args) as boolean;
  };
  response.end = (...args: unknown[]) => {
    take(args[0]);
    return Reflect.apply(end, response, args) as ServerResponse;
  };
  response.once('finish', () => {
    if (size <= MAX_BODY_BYTES) whole(response.statusCode, Buffer.concat(chunks));
  });
}

/** Raw headers, name after value, as those of an answer that is handed on; a repeated name keeps all its values. */
function pairsOf(raw: readonly unknown[]): [string, string[]][] {
  const found = new Map<string, string[]>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = String(raw[at]).toLowerCase();
    found.set(name, [...(found.get(name) ?? []), String(raw[at + 1])]);
  }
  return [...found];
}
