/**
 * The image service as a client calls it, derived from the route table: one function per operation, typed by its row. It needs nothing
 * but `fetch`, so it runs in browsers as well.
 */
import { InvalidInput } from '../core/errors.ts';
import { errorOf } from './errors.ts';
import type { AnswerOf, Given } from './handlers.ts';
import { type QueryInput, searchParams } from './query.ts';
import type { ParamNames, Route } from './route.ts';
import { type Operation, ROUTES } from './routes.ts';

export interface ClientOptions {
  /** The image service without version, no slash at the end. */
  readonly baseUrl: string;
  /** The identity service without version, no slash at the end. Default: below the image service. */
  readonly identityUrl?: string;
  /** The token of every call that takes one; asked for each time, so that it may be renewed. */
  readonly token?: () => string | Promise<string>;
  readonly fetch?: typeof fetch;
}

type Row<O extends Operation> = (typeof ROUTES)[O];
type Part<K extends string, V, Needed extends boolean> = [V] extends [never]
  ? unknown
  : Needed extends true
    ? { readonly [P in K]: V }
    : { readonly [P in K]?: V };
type Params<R extends Route> = [ParamNames<R['path']>] extends [never]
  ? never
  : { readonly [P in ParamNames<R['path']>]: string };
type BodyGiven<R> = R extends { readonly body: 'refused' } ? never : Given<R, 'body'>;
type IsNeeded<T> = Record<never, never> extends T ? false : true;

/** What an operation is called with: the parts that its row has, and no others. */
export type CallOf<O extends Operation> = Part<'params', Params<Row<O>>, true> &
  Part<'query', Given<Row<O>, 'query'>, false> &
  Part<'headers', Given<Row<O>, 'headers'>, IsNeeded<Given<Row<O>, 'headers'>>> &
  Part<'body', BodyGiven<Row<O>>, true>;

/**
 * `client.showImage({ params: { id } })`. An operation that needs nothing may be called with nothing.
 * @throws the service's error kinds (core/errors.ts) with method, path, status and what the service said; whatever `fetch` throws
 */
export type Client = {
  readonly [O in Operation]: (
    ...call: Record<never, never> extends CallOf<O> ? [call?: CallOf<O>] : [call: CallOf<O>]
  ) => Promise<AnswerOf<O>>;
};

/** Any call, as it is sent. */
interface Sent {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: URLSearchParams | QueryInput;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
}

export function createClient(options: ClientOptions): Client {
  const calls = Object.entries<Route>(ROUTES).map(([operation, route]) => [
    operation,
    (call?: Sent) => send(options, route, call ?? {}),
  ]);
  // One function per row, under the row's name: the type says the same of the same table, and `Sent` is what any `CallOf` is.
  return Object.fromEntries(calls) as Client;
}

async function send(options: ClientOptions, route: Route, call: Sent): Promise<unknown> {
  const path = pathOf(route, call);
  const response = await (options.fetch ?? fetch)(rootOf(options, route, path), {
    method: route.method,
    headers: await headersOf(options, route, call),
    ...bodyOf(route, call),
  });
  if (!response.ok && response.status !== route.success) {
    const text = await response.text();
    throw errorOf(response.status, response.headers, text, `${route.method} ${path}`);
  }
  const value = await answerIn(route, response);
  if (route.answerHeaders === undefined) return value;
  const names = Object.keys(route.answerHeaders.shape);
  const headers = names.flatMap((name) => {
    const sent = response.headers.get(name);
    return sent === null ? [] : [[name, sent]];
  });
  return { value, headers: Object.fromEntries(headers) };
}

/** @throws InvalidInput for what cannot be a segment: nothing, and what every URL parser takes out of a path */
function pathOf({ path }: Route, { params = {}, query = {} }: Sent): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_braced, name: string) => {
    const value = params[name] ?? '';
    if (value === '' || value === '.' || value === '..') throw new InvalidInput(`'${value}' cannot be a ${name}`);
    return encodeURIComponent(value);
  });
  const asked = searchParams(query);
  return asked.size === 0 ? filled : `${filled}?${asked}`;
}

function rootOf({ baseUrl, identityUrl }: ClientOptions, { group }: Route, path: string): string {
  if (group !== 'identity' || identityUrl === undefined) return baseUrl + path;
  return identityUrl + path.slice('/identity'.length);
}

async function headersOf({ token }: ClientOptions, route: Route, call: Sent): Promise<Record<string, string>> {
  const isBytes = route.group === 'gateway';
  const type = isBytes ? 'application/octet-stream' : 'application/json';
  const given = Object.entries(call.headers ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return {
    accept: 'application/json',
    ...(call.body !== undefined && { 'content-type': type }),
    ...(route.auth === 'token' && token !== undefined && { 'x-auth-token': await token() }),
    ...Object.fromEntries(given),
  };
}

function bodyOf(route: Route, { body }: Sent): Pick<RequestInit, 'body'> & { readonly duplex?: 'half' } {
  if (body === undefined) return {};
  if (route.group !== 'gateway') return { body: JSON.stringify(body) };
  // What the byte rows take as a body is a stream (api/images/routes.ts); `fetch` sends one in one direction only.
  return { body: body as ReadableStream<Uint8Array>, duplex: 'half' };
}

/** Answers are trusted to be what the table says; the contract suite holds every one of them to its schema. */
async function answerIn(route: Route, response: Response): Promise<unknown> {
  if (route.group === 'gateway' && route.answer !== undefined) return response.body ?? new Blob([]).stream();
  const text = await response.text();
  return text === '' || route.answer === undefined ? undefined : JSON.parse(text);
}
