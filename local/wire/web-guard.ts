/**
 * What keeps web pages from driving a service on this machine: a browser sends what any page asks for to 127.0.0.1, and a name of the
 * page's owner may point there (DNS rebinding). The name that a request was sent to, and where it comes from, are what a page cannot
 * choose.
 */
import type { IncomingHttpHeaders } from 'node:http';

export interface WebGuard {
  /** Names besides those of loopback that the port is reached by, without port; lower case. */
  readonly hosts?: readonly string[];
  /**
   * Origins whose pages may send requests, as in the header: `https://console.example:8443`. Absent: pages of this machine may.
   */
  readonly mayCome?: (origin: string) => boolean;
}

export interface WebRefusal {
  readonly status: 403 | 421;
  readonly message: string;
}

/** A request that was sent to a name that is none of ours: 421 (RFC 9110, section 15.5.20). Without a Host it is no browser's. */
export function foreignHost({ host }: IncomingHttpHeaders, { hosts = [] }: WebGuard = {}): WebRefusal | undefined {
  if (host === undefined || isOurs(host, hosts)) return undefined;
  return { status: 421, message: 'the request was sent to a name that is not of this service' };
}

/** A request of another site's page: 403 (Fetch, "Origin header"; Fetch Metadata, "Sec-Fetch-Site"). */
export function foreignPage(headers: IncomingHttpHeaders, guard: WebGuard = {}): WebRefusal | undefined {
  const { origin } = headers;
  if (origin !== undefined && guard.mayCome?.(origin) === true) return undefined;
  const isForeign =
    headers['sec-fetch-site'] === 'cross-site' || (origin !== undefined && !isOurs(hostOf(origin), guard.hosts ?? []));
  return isForeign ? { status: 403, message: 'a page of another site must not send this request' } : undefined;
}

const LOOPBACK = /^(?:localhost|(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

function isOurs(host: string, hosts: readonly string[]): boolean {
  const name = host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  return LOOPBACK.test(name) || hosts.includes(name);
}

/** Of an origin; what is none (`null` of a sandboxed page) has a host of nobody. */
function hostOf(origin: string): string {
  return /^https?:\/\/([^/@]+)$/i.exec(origin)?.[1] ?? '';
}

/** Names with commas between, as an operator writes them. */
export const hostNames = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
