/**
 * Whom a request comes from, when it has passed an edge of ours: the edge names the client and vouches for it with a secret that it
 * shares with what answers. Whatever a client writes into these headers itself is replaced by the edge, and means nothing without one.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

/** The client's address, as the edge saw the connection. */
export const CLIENT_HEADER = 'x-glimpse-client';
/** What only an edge of ours can send (infra/edge.ts, gateway/forward.ts). */
export const EDGE_HEADER = 'x-glimpse-edge';

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The address that the edge names; undefined without an edge, without its secret, or for what is no address. */
export function vouchedClient(headers: Headers, secret: string | undefined): string | undefined {
  const { [CLIENT_HEADER]: client, [EDGE_HEADER]: given } = headers;
  if (secret === undefined || typeof given !== 'string' || !isSame(given, secret)) return undefined;
  return isAddress(client) ? client : undefined;
}

/** The hop before a load balancer of ours, which appends it to whatever the client sent. */
export function lastHop(headers: Headers): string | undefined {
  const hop = String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .at(-1)
    ?.trim();
  return isAddress(hop) ? hop : undefined;
}

const isAddress = (text: string | readonly string[] | undefined): text is string =>
  typeof text === 'string' && /^[0-9a-f:.]{2,45}$/i.test(text);

function isSame(given: string, secret: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}
