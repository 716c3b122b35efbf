/**
 * The one way from an HTTP event (API Gateway, payload format 2.0) to an operation and back, as a middy chain:
 *
 *   request id ── CORS preflight ── errors ── health, versions ── identity ── routing ── operation
 */
import middy, { type MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { cacheControl } from '../../api/cache-control.ts';
import { corsHeaders } from '../../api/cors.ts';
import { errorAnswer, statusOf } from '../../api/errors.ts';
import type { ApiRequest, Handler } from '../../api/handlers.ts';
import { healthAnswer } from '../../api/health.ts';
import { parseAs, parseJson } from '../../api/json-body.ts';
import { requestIdOf } from '../../api/request-id.ts';
import { createRouter, METHODS } from '../../api/router.ts';
import type { Route } from '../../api/routes.ts';
import { selectVersion, versionsView } from '../../api/versions.ts';
import type { Config } from '../../core/config.ts';
import { Forbidden, InvalidInput, NotFound, Unauthenticated } from '../../core/errors.ts';
import type { Authenticator } from '../../core/identity/authenticator.ts';
import type { Caller } from '../../core/identity/caller.ts';
import type { Log } from '../../core/log.ts';

type Result = APIGatewayProxyStructuredResultV2;

/** What an answer gets besides its body; `value` is what the operation returned. */
export type ResponseHeaders = (value: unknown, request: ApiRequest) => Record<string, string>;

export interface ChainOptions<O extends string> {
  readonly routes: Readonly<Record<O, Route>>;
  readonly handlers: Readonly<Record<O, Handler>>;
  readonly responseHeaders?: Partial<Readonly<Record<O, ResponseHeaders>>>;
  readonly config: Config;
  readonly authenticator: Authenticator;
  readonly newId: () => string;
  readonly log: Log;
  /** Why this service takes no requests, if so. */
  readonly disabled?: () => string | undefined;
}

/** What the middlewares of one request have found out. */
interface Call {
  path: string;
  requestId: string;
  /** The answer shows no request id: it comes from before the API. */
  anonymous: boolean;
  caller?: Caller;
}
interface ApiEvent extends APIGatewayProxyEventV2 {
  call: Call;
}
type Layer = MiddlewareObj<ApiEvent, Result, Error>;

export type ApiHandler = (event: APIGatewayProxyEventV2, context?: object) => Promise<Result>;

/** Builds the entry point of a route group. */
export function createApiHandler<O extends string>(options: ChainOptions<O>): ApiHandler {
  const { config } = options;
  const chain = middy<ApiEvent, Result>(dispatch(options))
    .use(requestId(options))
    .use(preflight())
    .use(errors(options))
    .use(unauthenticated(options))
    .use(identity(options));
  return async (event, context = {}) => {
    const call: Call = { path: event.rawPath, requestId: '', anonymous: false };
    const result = (await chain({ ...event, call }, context as Parameters<typeof chain>[1])) as Result;
    // Middy skips `after` on early answers, so what every answer carries is added here.
    const shown = !call.anonymous && call.requestId !== '';
    const isPreflight = event.requestContext.http.method === 'OPTIONS';
    return {
      ...result,
      headers: {
        ...result.headers,
        ...(!isPreflight && { 'cache-control': cacheControl(false) }),
        ...corsHeaders(event.headers['origin'], config.cors_allowed_origins, isPreflight),
        ...(shown && { 'x-openstack-request-id': call.requestId }),
      },
    };
  };
}

function requestId({ config, newId }: Pick<ChainOptions<string>, 'config' | 'newId'>): Layer {
  return {
    before: ({ event }) => {
      event.call.requestId = requestIdOf(event.headers['x-openstack-request-id'], config.max_request_id_length, newId);
    },
  };
}

/** OPTIONS is answered on every path, known or not, without a token. */
function preflight(): Layer {
  return {
    before: (request) => {
      if (request.event.requestContext.http.method !== 'OPTIONS') return;
      request.event.call.anonymous = true;
      request.earlyResponse = { statusCode: 200, body: '' };
    },
  };
}

function errors({ config, log }: Pick<ChainOptions<string>, 'config' | 'log'>): Layer {
  return {
    onError: (request) => {
      const { event, error } = request;
      const status = statusOf(error);
      if (status === 401) event.call.anonymous = true;
      if (status >= 500)
        log.error('request failed', {
          requestId: event.call.requestId,
          path: event.rawPath,
          error: String(error?.stack),
        });
      const identityUrl = config.identity.auth_url ?? `${baseUrlOf(event, config)}/identity`;
      request.response = { ...errorAnswer(error, { accept: event.headers['accept'], identityUrl }) };
    },
  };
}

/** Health, versions and version negotiation: answered before any token is looked at. */
function unauthenticated({ config, disabled }: Pick<ChainOptions<string>, 'config' | 'disabled'>): Layer {
  return {
    before: (request) => {
      const { event } = request;
      const { method } = event.requestContext.http;
      const accept = event.headers['accept'];
      if (event.rawPath === '/healthcheck') {
        const { statusCode, contentType, body } = healthAnswer(method, accept, disabled?.());
        event.call.anonymous = true;
        request.earlyResponse = {
          statusCode,
          ...(contentType !== undefined && { headers: { 'content-type': contentType } }),
          body,
        };
        return;
      }
      const selected = selectVersion(event.rawPath, accept);
      if (selected.kind === 'api') {
        event.call.path = selected.path;
        return;
      }
      event.call.anonymous = true;
      request.earlyResponse = jsonResult(selected.status, versionsView(baseUrlOf(event, config)));
    },
  };
}

function identity({ authenticator }: Pick<ChainOptions<string>, 'authenticator'>): Layer {
  return {
    before: async ({ event }) => {
      event.call.caller = await authenticator.authenticate({
        token: event.headers['x-auth-token'] ?? event.headers['x-storage-token'],
        serviceToken: event.headers['x-service-token'],
        requestId: event.call.requestId,
      });
    },
  };
}

function dispatch<O extends string>(options: ChainOptions<O>): (event: ApiEvent) => Promise<Result> {
  const router = createRouter(options.routes);
  return async (event) => {
    const { method } = event.requestContext.http;
    const { path, caller } = event.call;
    if (path === '/v2' && METHODS.has(method))
      return { statusCode: 302, headers: { location: `${baseUrlOf(event, options.config)}/v2/` } };
    const { operation, route, params } = router.match(method, path);
    if (caller === undefined) throw new Unauthenticated('The request you have made requires authentication.');
    refuseWrites(caller, method);
    refuseBody(route, event);
    const request = apiRequest(event, caller, params, options.config);
    // The table also holds what the gateway answers; such a request was sent to the wrong place.
    if (!Object.hasOwn(options.handlers, operation)) throw new NotFound('The resource could not be found.');
    const value = await options.handlers[operation](request);
    const result = value === undefined ? emptyResult(route.success) : jsonResult(route.success, value);
    const headers = options.responseHeaders?.[operation]?.(value, request);
    return headers === undefined ? result : { ...result, headers: { ...result.headers, ...headers } };
  };
}

/** @throws Forbidden when a caller without a token wants more than to read */
function refuseWrites(caller: Caller, method: string): void {
  if (caller.isReadOnly === true && method !== 'GET' && method !== 'HEAD') throw new Forbidden('Read-only access');
}

/** @throws InvalidInput */
function refuseBody(route: Route, event: ApiEvent): void {
  if (route.body === 'refused' && hasBody(event)) throw new InvalidInput('A body is not expected with this request.');
}

function hasBody(event: ApiEvent): boolean {
  return (event.body !== undefined && event.body !== '') || Number(event.headers['content-length'] ?? 0) > 0;
}

function apiRequest(
  event: ApiEvent,
  caller: Caller,
  params: Readonly<Record<string, string>>,
  config: Config,
): ApiRequest {
  const json = () => parseJson(bodyText(event));
  return {
    params,
    query: new URLSearchParams(event.rawQueryString),
    headers: event.headers,
    caller,
    baseUrl: baseUrlOf(event, config),
    json,
    parse: (schema) => parseAs(schema, json()),
  };
}

/** The body as text, decoded when it came as base64. @throws InvalidInput when it is not UTF-8 */
export function bodyText(event: APIGatewayProxyEventV2): string {
  if (event.isBase64Encoded !== true) return event.body ?? '';
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(event.body ?? '', 'base64'));
  } catch (error) {
    throw new InvalidInput('The request body is not UTF-8.', { cause: error });
  }
}

/** Scheme and host of links: the configured endpoint, else what the request was sent to. */
export function baseUrlOf(event: APIGatewayProxyEventV2, config: Pick<Config, 'public_endpoint'>): string {
  if (config.public_endpoint !== undefined) return config.public_endpoint.replace(/\/+$/, '');
  const proto = event.headers['x-forwarded-proto'] === 'https' ? 'https' : 'http';
  return `${proto}://${event.headers['host'] ?? event.requestContext.domainName}`;
}

/** Without a type of ours an HTTP API calls the empty body JSON, and glanceclient then fails to parse it. */
function emptyResult(statusCode: number): Result {
  return statusCode === 204
    ? { statusCode }
    : { statusCode, headers: { 'content-type': 'text/plain; charset=UTF-8' }, body: '' };
}

function jsonResult(statusCode: number, value: unknown): Result {
  return { statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}
