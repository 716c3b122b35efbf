import type { IncomingMessage, ServerResponse } from 'node:http';

/** Looks per limit. */
const LOOKS = 10;

/**
 * Ends an exchange whose client stops in the middle of its body: 408 if nothing was answered yet, and the connection closes. Time in
 * which we do not read does not count, nor does time after the last byte.
 */
export function limitSilence(request: IncomingMessage, response: ServerResponse, limitMs: number): void {
  if (request.headers['transfer-encoding'] === undefined && Number(request.headers['content-length'] ?? 0) === 0)
    return;
  let quiet = 0;
  let seen = -1;
  const watch = setInterval(() => {
    if (request.complete || request.destroyed) return clearInterval(watch);
    const { bytesRead } = request.socket;
    quiet = bytesRead === seen && request.readableLength === 0 ? quiet + 1 : 0;
    seen = bytesRead;
    if (quiet >= LOOKS) cut(request, response);
  }, limitMs / LOOKS);
  watch.unref();
  request.once('close', () => clearInterval(watch));
}

function cut(request: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent) return void request.destroy();
  response
    .writeHead(408, { 'content-type': 'text/plain', connection: 'close' })
    .end('Request Timeout', () => request.destroy());
}
