import { lookup as dnsLookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Config } from '../core/config.ts';
import { FetchFailed } from '../core/errors.ts';
import { isPrivateAddress, uriRefusal } from '../core/imports/uri-filter.ts';
import { shownUri } from '../core/shown-url.ts';

/**
 * Fetches what a user names (web-download). Hosts are hostile: every hop passes the URI filter, and the address that is
 * connected to is the one that was checked, so a name cannot be resolved twice with two answers.
 */
export interface Download {
  /** Content-Length; undefined when the server does not say. */
  readonly length: number | undefined;
  /** @throws FetchFailed when the connection breaks or stalls */
  readonly body: AsyncIterable<Uint8Array>;
}

type FilterOptions = Config['import_filtering_opts'];

const MAX_REDIRECTS = 5;
/** No byte for this long ends a download. */
const STALL_MS = 60_000;

/** Opens a URI, following redirects. @throws FetchFailed: refused by the filter, unreachable, or any status but 200 */
export async function openDownload(uri: string, options: FilterOptions, signal: AbortSignal): Promise<Download> {
  let target = uri;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const refusal = uriRefusal(target, options);
    if (refusal !== undefined)
      throw new FetchFailed(
        hop === 0 ? refusal : `${shownUri(uri)} redirects to a place that is not allowed: ${refusal}`,
      );
    const response = await get(new URL(target), options, signal);
    const next = redirectOf(response, target);
    if (next === undefined) return accept(uri, response);
    response.destroy();
    target = next;
  }
  throw new FetchFailed(`${shownUri(uri)}: more than ${MAX_REDIRECTS} redirects`);
}

function redirectOf(response: IncomingMessage, from: string): string | undefined {
  const status = response.statusCode ?? 0;
  if (status < 300 || status > 399 || response.headers.location === undefined) return undefined;
  const next = URL.parse(response.headers.location, from);
  if (next === null) throw new FetchFailed(`${shownUri(from)} redirects to what is no URL`);
  return next.href;
}

function accept(uri: string, response: IncomingMessage): Download {
  if (response.statusCode !== 200) {
    response.destroy();
    throw new FetchFailed(`${shownUri(uri)} answered ${response.statusCode} ${response.statusMessage ?? ''}`.trimEnd());
  }
  const header = response.headers['content-length'];
  return { length: header === undefined ? undefined : Number(header), body: bodyOf(uri, response) };
}

async function* bodyOf(uri: string, response: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) yield chunk as Uint8Array;
  } catch (error) {
    // biome-ignore lint/style/useErrorCause: the system's own error names the address that was connected to
    throw new FetchFailed(`${shownUri(uri)}: the connection broke: ${reason(error)}`);
  }
}

function get(url: URL, options: FilterOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void =>
      reject(error instanceof FetchFailed ? error : new FetchFailed(`${shownUri(url.href)}: ${reason(error)}`));
    const request = send(
      url,
      {
        signal,
        timeout: STALL_MS,
        agent: false,
        lookup: checkedLookup(options),
        headers: { accept: '*/*', 'user-agent': 'glimpse' },
      },
      resolve,
    );
    request.on('timeout', () =>
      request.destroy(new FetchFailed(`${shownUri(url.href)}: nothing came for ${STALL_MS / 1000} s`)),
    );
    request.on('error', fail);
    request.end();
  });
}

/** Resolves a name once and hands the socket only addresses that passed. (Literal addresses passed the URI filter already.) */
function checkedLookup(options: FilterOptions): LookupFunction {
  return (hostname, lookupOptions, callback) => {
    dnsLookup(hostname, { all: true, verbatim: true })
      .then((addresses) => {
        const bad = options.allow_private_addresses
          ? undefined
          : addresses.find(({ address }) => isPrivateAddress(address));
        if (bad !== undefined) throw new FetchFailed(`${hostname} resolves to what is not a public address`);
        const [first] = addresses;
        if (first === undefined) throw new FetchFailed(`${hostname} does not resolve`);
        if (lookupOptions.all) callback(null, addresses);
        else callback(null, first.address, isIP(first.address));
      })
      .catch((error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), ''));
  };
}

/** The system's words name the address that was connected to, which is nobody's business: its code says what went wrong. */
function reason(error: unknown): string {
  if (error instanceof FetchFailed) return error.message;
  const { code, name } = error as NodeJS.ErrnoException;
  return code ?? name ?? 'failed';
}
