import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * For exchanges that are small: ends one whose body is not there in time, however it drips (408), and one of whose answer the client
 * takes nothing for so long.
 */
export function limitClient(request: IncomingMessage, response: ServerResponse, limitMs: number): void {
  limitArrival(request, response, limitMs);
  limitStall(response, limitMs);
}

function limitArrival(request: IncomingMessage, response: ServerResponse, limitMs: number): void {
  const timer = setTimeout(() => {
    if (!request.complete) cut(request, response);
  }, limitMs);
  timer.unref();
  for (const event of ['end', 'close'] as const) request.once(event, () => clearTimeout(timer));
}

function cut(request: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent) return void request.destroy();
  response
    .writeHead(408, { 'content-type': 'text/plain', connection: 'close' })
    .end('Request Timeout', () => request.destroy());
}

/** Ends an answer of which the client takes nothing. Node sees each bit that leaves; time in which there is nothing to take does not count. */
export function limitStall(response: ServerResponse, limitMs: number): void {
  response.setTimeout(limitMs, () => {
    if (response.writableNeedDrain || (response.writableEnded && !response.writableFinished)) response.destroy();
  });
}
