import ipaddr from 'ipaddr.js';
import type { Config } from '../config.ts';
import { parseUrl, shownUri } from '../shown-url.ts';

/**
 * URI filtering of web-download and glance-download (contract: import.md section 7). Pure: resolution of names is the fetcher's,
 * which must pass every address it connects to through `isPrivateAddress`.
 */
type FilterOptions = Config['import_filtering_opts'];

/** Why a URI may not be fetched, as a sentence; undefined when it may. */
export function uriRefusal(uri: string, options: FilterOptions): string | undefined {
  const url = parseUrl(uri);
  if (url === undefined) return 'The URI does not pass filtering: it is no absolute URL with a scheme and a host';
  const refuse = (what: string): string => `URI "${shownUri(uri)}" does not pass filtering: ${what}`;
  const scheme = url.protocol.slice(0, -1);
  if (!passes(scheme, options.allowed_schemes, options.disallowed_schemes, (listed) => listed.toLowerCase()))
    return refuse(`scheme ${scheme} is not allowed`);
  const host = plainHost(uri, url);
  if (host === undefined) return refuse(`${url.hostname} is no plain host name or canonical address`);
  if (!passes(canonicalHost(host), options.allowed_hosts, options.disallowed_hosts, canonicalHost))
    return refuse(`host ${host} is not allowed`);
  const port = url.port === '' ? DEFAULT_PORTS[scheme] : Number(url.port);
  if (port !== undefined && !passes(port, options.allowed_ports, options.disallowed_ports, (listed) => listed))
    return refuse(`port ${port} is not allowed`);
  if (!options.allow_private_addresses && ipaddr.isValid(host) && isPrivateAddress(host))
    return refuse(`${host} is not a public address`);
  return undefined;
}

/** A URL that names no port names its scheme's. */
const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443, ftp: 21 };

/** The first list that has entries decides; two empty lists let everything pass. Both sides are compared in one spelling. */
function passes<T>(value: T, allowed: readonly T[], disallowed: readonly T[], spelled: (listed: T) => T): boolean {
  const names = (list: readonly T[]): boolean => list.some((listed) => spelled(listed) === value);
  return allowed.length > 0 ? names(allowed) : !names(disallowed);
}

/** One spelling of a host: lower case, without the dot of the root and without brackets; addresses of version 6 in their shortest form. */
function canonicalHost(host: string): string {
  const bare = host
    .trim()
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.+$/, '');
  return ipaddr.IPv6.isValid(bare) ? ipaddr.IPv6.parse(bare).toRFC5952String() : bare;
}

/**
 * The host, lower case and without brackets, if it is written plainly. URL parsers turn decimal, hexadecimal, octal and short
 * IPv4 forms into addresses, and some take a backslash for a slash: a host that does not read as it was written is such a form and is refused.
 */
function plainHost(uri: string, url: URL): string | undefined {
  const authority = /^[^:]+:\/\/([^/?#]*)/.exec(uri)?.[1] ?? '';
  const written = authority
    .slice(authority.lastIndexOf('@') + 1)
    .replace(/:\d*$/, '')
    .toLowerCase();
  const host = url.hostname.toLowerCase();
  if (host.startsWith('[')) return written === host ? host.slice(1, -1) : undefined;
  if (written !== host) return undefined;
  const looksNumeric = /^[0-9.]+$/.test(host) || /^0x/.test(host);
  if (looksNumeric && !ipaddr.IPv4.isValidFourPartDecimal(host)) return undefined;
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/.test(host) ? host : undefined;
}

/** What is assigned to networks of the internet (IANA, "Internet Protocol Version 6 Address Space"); an address of version 4 may hide in all else. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** Loopback, link-local (metadata services), private, unique-local, multicast, reserved … : everything that is not plain unicast. */
export function isPrivateAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return true;
  const plain = ipaddr.process(address);
  if (plain.range() !== 'unicast') return true;
  return plain instanceof ipaddr.IPv6 && !plain.match(GLOBAL_UNICAST);
}
