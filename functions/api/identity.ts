/**
 * The embedded identity service behind API Gateway (payload format 2.0), as a middy chain:
 *
 *   CORS preflight ── errors in Keystone's form ── routing ── token ── operation
 */
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { corsHeaders } from '../../api/cors.ts';
import { statusOf } from '../../api/errors.ts';
import { keystoneError } from '../../api/identity/errors.ts';
import { IDENTITY_ROUTES } from '../../api/identity/routes.ts';
import { parseAs, parseJson } from '../../api/json-body.ts';
import { requestIdOf } from '../../api/request-id.ts';
import { createRouter } from '../../api/router.ts';
import { LimitExceeded, NotFound, Unauthenticated } from '../../core/errors.ts';
import type { ValidToken } from '../../core/identity/repository.ts';
import { apiDeps } from '../../service/api-deps.ts';
import { type ApiHandler, baseUrlOf, bodyText } from './chain.ts';
import { credentialHandlers } from './identity/credentials.ts';
import { directoryHandlers } from './identity/directory.ts';
import { grantHandlers } from './identity/grants.ts';
import type { IdentityApiDeps, IdentityHandlers, IdentityOperation, IdentityRequest } from './identity/request.ts';
import { tokenHandlers } from './identity/tokens.ts';
import { lazily } from './lazily.ts';

type Result = APIGatewayProxyStructuredResultV2;

/** Keystone's `max_request_body_size`, in bytes. */
const MAX_BODY = 114_688;

/** Builds the entry point of the identity routes. */
export function createIdentityHandler(deps: IdentityApiDeps): ApiHandler {
  const { config, newId } = deps;
  const chain = middy<APIGatewayProxyEventV2, Result>(dispatch(deps)).use(preflight()).use(errors(deps));
  return async (event, context = {}) => {
    const result = (await chain(event, context as Parameters<typeof chain>[1])) as Result;
    const { method } = event.requestContext.http;
    return {
      ...result,
      headers: {
        ...result.headers,
        vary: 'X-Auth-Token',
        ...corsHeaders(event.headers['origin'], config.cors_allowed_origins, method === 'OPTIONS'),
        'x-openstack-request-id': idOf(event, config.max_request_id_length, newId),
      },
      ...(method === 'HEAD' ? { body: '' } : {}),
    };
  };
}

/** The Lambda function: its dependencies come from the environment, once per process. */
export const handler = lazily(async () => createIdentityHandler(await apiDeps()));

/** The request's own id when it can be taken, else a new one: an identity request never fails for its id. */
function idOf(event: APIGatewayProxyEventV2, maxLength: number, newId: () => string): string {
  return requestIdOf(event.headers['x-openstack-request-id']?.slice(0, maxLength), maxLength, newId);
}

function preflight(): middy.MiddlewareObj<APIGatewayProxyEventV2, Result> {
  return {
    before: (request) => {
      if (request.event.requestContext.http.method === 'OPTIONS') request.earlyResponse = { statusCode: 200, body: '' };
    },
  };
}

function errors({ config, log }: IdentityApiDeps): middy.MiddlewareObj<APIGatewayProxyEventV2, Result> {
  return {
    onError: (request) => {
      const { event, error } = request;
      if (statusOf(error) >= 500) log.error('request failed', { path: event.rawPath, error: String(error?.stack) });
      request.response = { ...keystoneError(error, `${baseUrlOf(event, config)}/identity`) };
    },
  };
}

function dispatch({ config, identity }: IdentityApiDeps): (event: APIGatewayProxyEventV2) => Promise<Result> {
  if (identity === undefined || config.identity.mode === 'keystone')
    return async () => {
      throw new NotFound(`The identity service is at ${config.identity.auth_url}.`);
    };
  const router = createRouter<IdentityOperation>(IDENTITY_ROUTES);
  const handlers: IdentityHandlers<IdentityOperation> = {
    ...tokenHandlers(identity),
    ...directoryHandlers(identity),
    ...grantHandlers(identity),
    ...credentialHandlers(identity),
  };
  const match = (method: string, path: string) => {
    if (method !== 'HEAD') return router.match(method, path);
    try {
      return router.match('HEAD', path);
    } catch {
      return router.match('GET', path);
    }
  };
  return async (event) => {
    const path = event.rawPath.replace(/\/+$/, '');
    const { operation, route, params } = match(event.requestContext.http.method, path);
    const caller = route.auth === 'none' ? undefined : await identity.validate(tokenIn(event)).catch(refuse);
    const { value, headers } = await handlers[operation](requestOf(event, config, params, caller));
    return {
      statusCode: route.success,
      headers: { ...(value === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(value === undefined ? {} : { body: JSON.stringify(value) }),
    };
  };
}

const REQUIRED = 'The request you have made requires authentication.';

function tokenIn(event: APIGatewayProxyEventV2): string {
  const token = event.headers['x-auth-token'];
  if (!token) throw new Unauthenticated(REQUIRED);
  return token;
}

/** Why a token does not hold is nobody's business but its holder's log. */
function refuse(error: unknown): never {
  if (error instanceof Unauthenticated) throw new Unauthenticated(REQUIRED, { cause: error });
  throw error;
}

function requestOf(
  event: APIGatewayProxyEventV2,
  config: IdentityApiDeps['config'],
  params: Readonly<Record<string, string>>,
  caller: ValidToken | undefined,
): IdentityRequest {
  const root = baseUrlOf(event, config);
  const base = `${root}/identity`;
  return {
    params,
    query: new URLSearchParams(event.rawQueryString),
    headers: event.headers,
    source: event.requestContext.http.sourceIp,
    base,
    v3: `${base}/v3`,
    self: `${root}${event.rawPath}`,
    place: { region: config.region_name, imageUrl: root, identityUrl: base },
    get caller() {
      if (caller === undefined) throw new Unauthenticated(REQUIRED);
      return caller;
    },
    parse: (schema) => {
      if ((event.body?.length ?? 0) > MAX_BODY) throw new LimitExceeded(`The body is larger than ${MAX_BODY} bytes.`);
      return parseAs(schema, parseJson(bodyText(event)));
    },
  };
}
