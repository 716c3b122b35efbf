/**
 * One request to a host that a user named, over a connection that the URI filter let through: the address that is connected to is the
 * one that was checked, so a name cannot be resolved twice with two answers.
 */
import { lookup as dnsLookup } from 'node:dns/promises';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Config } from '../core/config.ts';
import { FetchFailed } from '../core/errors.ts';
import { isPrivateAddress, uriRefusal } from '../core/imports/uri-filter.ts';
import type { WebSource } from '../core/imports/web.ts';
import { shownUri } from '../core/shown-url.ts';

/** What is asked with, for one source. */
export interface Asking {
  readonly source: WebSource;
  readonly config: Pick<Config, 'import_filtering_opts' | 'web_download'>;
  readonly signal: AbortSignal;
  readonly agents: Agents;
}

export type Headers = Readonly<Record<string, string>>;

const MAX_REDIRECTS = 10;

/** Connections that are used again by the next request of the same source, and that end with its signal. */
export interface Agents {
  readonly http: Agent;
  readonly https: HttpsAgent;
}

export function agentsUntil(signal: AbortSignal): Agents {
  const agents = { http: new Agent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };
  const end = (): void => {
    agents.http.destroy();
    agents.https.destroy();
  };
  signal.addEventListener('abort', end, { once: true });
  return agents;
}

/** The answer of the last hop, and where that is. @throws FetchFailed */
export async function follow(asking: Asking, headers: Headers): Promise<IncomingMessage> {
  const { uri } = asking.source;
  let target = uri;
  let isTrusted = true;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    // What was left is not trusted again: where a stranger leads back to is the stranger's choice.
    isTrusted &&= new URL(target).origin === asking.source.trusted?.origin;
    const refusal = isTrusted ? undefined : uriRefusal(target, asking.config.import_filtering_opts);
    if (refusal !== undefined)
      throw new FetchFailed(
        hop === 0 ? refusal : `${shownUri(uri)} redirects to a place that is not allowed: ${refusal}`,
      );
    const response = await get(asking, new URL(target), isTrusted, headers);
    const next = redirectOf(response, target);
    if (next === undefined) return response;
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

function get({ source, config, signal, agents }: Asking, url: URL, isTrusted: boolean, headers: Headers) {
  const isTls = url.protocol === 'https:';
  const send = isTls ? httpsRequest : httpRequest;
  const stallMs = config.web_download.stall_timeout * 1000;
  return new Promise<IncomingMessage>((resolve, reject) => {
    const request = send(
      url,
      {
        signal,
        timeout: stallMs,
        agent: isTls ? agents.https : agents.http,
        ...(isTrusted ? {} : { lookup: checkedLookup(config.import_filtering_opts) }),
        headers: {
          accept: '*/*',
          'accept-encoding': 'identity',
          'user-agent': 'glimpse',
          ...(isTrusted ? source.trusted?.headers : {}),
          ...headers,
        },
      },
      resolve,
    );
    request.on('timeout', () =>
      request.destroy(new FetchFailed(`${shownUri(url.href)}: nothing came for ${stallMs / 1000} s`)),
    );
    request.on('error', (error) =>
      reject(error instanceof FetchFailed ? error : new FetchFailed(`${shownUri(url.href)}: ${reason(error)}`)),
    );
    request.end();
  });
}

/** Resolves a name once and hands the socket only addresses that passed. (Literal addresses passed the URI filter already.) */
function checkedLookup(options: Config['import_filtering_opts']): LookupFunction {
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
export function reason(error: unknown): string {
  if (error instanceof FetchFailed) return error.message;
  const { code, name } = error as NodeJS.ErrnoException;
  return code ?? name ?? 'failed';
}
