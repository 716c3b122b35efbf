import type { ServerResponse } from 'node:http';
import { isObject, type JsonObject } from '../wire/json.ts';

/** Largest response of a function behind an HTTP API, in bytes. */
const RESPONSE_LIMIT = 6 * 1024 * 1024;

/** The fault body of the service that runs behind this API. */
const faultBody = (code: number, title: string, message: string): string =>
  JSON.stringify({ error: { code, title, message } });

/** Sends a fault that arises before or after the handler. */
export function sendFault(res: ServerResponse, code: number, title: string, message: string): void {
  if (res.headersSent || res.destroyed) return;
  const body = faultBody(code, title, message);
  res.writeHead(code, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.end(body);
}

/**
 * Sends what a function returned, as an HTTP API does with payload format 2.0: an object with `statusCode` is a response,
 * anything else is the JSON body of a 200. Above 6 MB the client gets a 500.
 */
export function sendResult(res: ServerResponse, result: unknown): void {
  if (res.destroyed) return;
  const response = inferred(result);
  const body = bodyOf(response);
  if (body.length > RESPONSE_LIMIT) {
    sendFault(res, 500, 'Internal Server Error', 'The response is larger than this API can return.');
    return;
  }
  res.statusCode = Number(response['statusCode']);
  for (const [name, value] of headersOf(response)) res.setHeader(name, value);
  const cookies = response['cookies'];
  if (Array.isArray(cookies) && cookies.length > 0) res.setHeader('set-cookie', cookies.map(String));
  if (res.statusCode === 204 || res.statusCode === 304) {
    res.end();
    return;
  }
  if (!res.hasHeader('content-type')) res.setHeader('content-type', 'application/json');
  // A HEAD handler may state the length of what a GET would bring.
  const stated = res.req.method === 'HEAD' && res.hasHeader('content-length');
  if (!stated) res.setHeader('content-length', body.length);
  res.end(body);
}

function inferred(result: unknown): JsonObject {
  if (isObject(result) && 'statusCode' in result) return result;
  return { statusCode: 200, body: typeof result === 'string' ? result : JSON.stringify(result ?? null) };
}

function bodyOf(response: JsonObject): Buffer {
  const body = response['body'];
  if (body === undefined || body === null) return Buffer.alloc(0);
  if (typeof body === 'string') return Buffer.from(body, response['isBase64Encoded'] === true ? 'base64' : 'utf8');
  return Buffer.from(JSON.stringify(body));
}

function* headersOf(response: JsonObject): Iterable<[string, string | string[]]> {
  for (const key of ['headers', 'multiValueHeaders']) {
    const headers = response[key];
    if (!isObject(headers)) continue;
    for (const [name, value] of Object.entries(headers)) {
      if (value !== null) yield [name, Array.isArray(value) ? value.map(String) : String(value)];
    }
  }
}
