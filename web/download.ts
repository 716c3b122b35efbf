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
  /** Bytes of the whole file; undefined when the server does not say. */
  readonly length: number | undefined;
  /** Where the body begins in the file: where it was asked to, or 0. */
  readonly offset: number;
  /** What names this version of the file to the server (If-Range); undefined when it gives nothing that does. */
  readonly validator: string | undefined;
  /** @throws FetchFailed when the connection breaks or stalls */
  readonly body: AsyncIterable<Uint8Array>;
}

/** A download that goes on: the rest of a version of a file. */
export interface DownloadRest {
  readonly offset: number;
  readonly validator: string;
  /** Bytes of the whole file, when the server said. */
  readonly length: number | undefined;
}

type FilterOptions = Config['import_filtering_opts'];

const MAX_REDIRECTS = 10;
/** A file that was changed so long ago is not in the middle of a change, whatever the clocks. */
const SETTLED_MS = 60_000;
/** No byte for this long ends a download. */
const STALL_MS = 60_000;

/**
 * Opens a URI, following redirects; of its `rest` when the server has that version still and gives parts of it, or else all of it.
 * @throws FetchFailed: refused by the filter, unreachable, or an answer that is not all of it, or coded
 */
export async function openDownload(
  uri: string,
  options: FilterOptions,
  signal: AbortSignal,
  rest?: DownloadRest,
): Promise<Download> {
  if (rest === undefined) return accept(uri, await follow(uri, options, signal, {}));
  const headers = { range: `bytes=${rest.offset}-`, 'if-range': rest.validator };
  const response = await follow(uri, options, signal, headers);
  const length = response.statusCode === 206 ? lengthOfRest(response, rest) : undefined;
  if (length !== undefined)
    return { offset: rest.offset, validator: rest.validator, length, body: bodyOf(uri, response) };
  if (response.statusCode === 200) return accept(uri, response);
  response.destroy();
  return openDownload(uri, options, signal);
}

/** The response of the last hop. @throws FetchFailed */
async function follow(
  uri: string,
  options: FilterOptions,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>>,
): Promise<IncomingMessage> {
  let target = uri;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const refusal = uriRefusal(target, options);
    if (refusal !== undefined)
      throw new FetchFailed(
        hop === 0 ? refusal : `${shownUri(uri)} redirects to a place that is not allowed: ${refusal}`,
      );
    const response = await get(new URL(target), options, signal, headers);
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

function accept(uri: string, response: IncomingMessage): Download {
  const refusal = refusalOf(response);
  if (refusal !== undefined) {
    response.destroy();
    throw new FetchFailed(`${shownUri(uri)} answered ${refusal}`);
  }
  const header = response.headers['content-length'];
  return {
    length: header === undefined ? undefined : Number(header),
    offset: 0,
    validator: validatorOf(response),
    body: bodyOf(uri, response),
  };
}

/**
 * What is wrong with an answer to the request for a whole file. A proxy may have changed what it says of it (203), and a part may be all
 * of it (206). A coded body would be stored coded: identity was asked for.
 */
function refusalOf({ statusCode, statusMessage, headers }: IncomingMessage): string | undefined {
  if (!(statusCode === 200 || statusCode === 203 || (statusCode === 206 && isWhole(headers['content-range']))))
    return `${statusCode} ${statusMessage ?? ''}`.trimEnd();
  const coding = codingOf(headers);
  return coding === undefined ? undefined : `with Content-Encoding ${coding}, though asked for none`;
}

function codingOf(headers: IncomingMessage['headers']): string | undefined {
  const coding = (headers['content-encoding'] ?? '').trim().toLowerCase();
  return coding === 'identity' || coding === '' ? undefined : coding;
}

function isWhole(range: string | undefined): boolean {
  const [, first, last, length] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(range ?? '') ?? [];
  return first === '0' && Number(last) === Number(length) - 1;
}

/** Bytes of the whole file when the response is the rest that was asked for (RFC 9110, 14.4): of that version, and from there to the end. */
function lengthOfRest(response: IncomingMessage, rest: DownloadRest): number | undefined {
  const [, ...numbers] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers['content-range'] ?? '') ?? [];
  const [first, last, length = Number.NaN] = numbers.map(Number);
  if (codingOf(response.headers) !== undefined) return undefined;
  const isRest = first === rest.offset && last === length - 1 && length === (rest.length ?? length);
  return isRest && validatorOf(response) === rest.validator ? length : undefined;
}

/**
 * A strong ETag; or when the file was changed, if that is so long before the answer that no second change can bear the same time
 * (RFC 9110, 8.8.2.2 and 13.1.5).
 */
function validatorOf({ headers }: IncomingMessage): string | undefined {
  const { etag, date, 'last-modified': modified } = headers;
  if (etag !== undefined) return etag.startsWith('"') ? etag : undefined;
  const ageMs = Date.parse(date ?? '') - Date.parse(modified ?? '');
  return ageMs >= SETTLED_MS ? modified : undefined;
}

async function* bodyOf(uri: string, response: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) yield chunk as Uint8Array;
  } catch (error) {
    // biome-ignore lint/style/useErrorCause: the system's own error names the address that was connected to
    throw new FetchFailed(`${shownUri(uri)}: the connection broke: ${reason(error)}`);
  }
}

function get(
  url: URL,
  options: FilterOptions,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>>,
): Promise<IncomingMessage> {
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
        headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'glimpse', ...headers },
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
