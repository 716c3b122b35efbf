import type { IncomingMessage } from 'node:http';

/** What an early answer may cost: most clients read it only when they have sent everything. */
const MOST_BYTES = 2 * 1024 ** 3;
const MOST_MS = 60_000;

/**
 * Reads and forgets what is left of a request body that has been answered already. Closing at once would reset the connection and
 * take the answer with it; a client that sends on for too long is cut off.
 */
export function discardBody(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  let bytes = 0;
  const enough = setTimeout(() => request.destroy(), MOST_MS);
  enough.unref();
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) request.destroy();
  });
  request.once('close', () => clearTimeout(enough));
  request.resume();
}
