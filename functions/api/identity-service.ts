import { baseUrlOf, commonHeaders, type EdgeAnswer, type EdgeOptions, logFault } from '../../api/edge.ts';
import type { Handlers } from '../../api/handlers.ts';
import { keystoneError } from '../../api/identity/errors.ts';
import { IDENTITY_ROUTES } from '../../api/identity/routes.ts';
import { createOperate } from '../../api/operate.ts';
import { requestIdOf } from '../../api/request-id.ts';
import { createRouter } from '../../api/router.ts';
import type { GroupOperations } from '../../api/routes.ts';
import { LimitExceeded, NotFound, Unauthenticated } from '../../core/errors.ts';
import type { TokenValidator, ValidToken } from '../../core/identity/repository.ts';
import { type ApiHandler, bodyText, type Call, createChain, readingOf } from './chain.ts';

type IdentityOperation = GroupOperations<'identity'>;

/** The operations, and who validates their tokens. */
export interface IdentityServiceOptions {
  readonly handlers: Handlers<IdentityOperation>;
  readonly identity: TokenValidator;
  /** By which an edge is known that says where a log-in comes from. */
  readonly edgeSecret?: string | undefined;
}

/** Keystone's `max_request_body_size`, in bytes. */
const MAX_BODY = 114_688;

/**
 * Keystone's way with requests: the path first, then the token; errors are JSON, and a request never fails for its id.
 * @param service absent where an existing Keystone issues the tokens: then every request is answered with its address
 */
export function createIdentityService(
  { config, newId, log }: EdgeOptions,
  service: IdentityServiceOptions | undefined,
): ApiHandler {
  const longest = config.max_request_id_length;
  return createChain({
    idOf: ({ headers }) => requestIdOf(headers['x-openstack-request-id']?.slice(0, longest), longest, newId),
    refusal: (error, { arrival }) => {
      logFault(error, arrival, log);
      return keystoneError(error, `${baseUrlOf(arrival, config)}/identity`);
    },
    answer:
      service === undefined
        ? async () => {
            throw new NotFound(`The identity service is at ${config.identity.auth_url}.`);
          }
        : answering(service, config),
    finish: ({ statusCode, headers, body }, { arrival, requestId }) => ({
      statusCode,
      headers: { ...headers, vary: 'X-Auth-Token', ...commonHeaders(arrival, config, requestId) },
      body: arrival.method === 'HEAD' ? '' : body,
    }),
  });
}

function answering(
  { handlers, identity, edgeSecret }: IdentityServiceOptions,
  config: EdgeOptions['config'],
): (call: Call) => Promise<EdgeAnswer> {
  const router = createRouter<IdentityOperation>(IDENTITY_ROUTES);
  const operate = createOperate(handlers, config, (statusCode) => ({ statusCode, headers: {}, body: '' }));
  /** A GET route also answers HEAD. */
  const match = (method: string, path: string) => {
    if (method !== 'HEAD') return router.match(method, path);
    try {
      return router.match('HEAD', path);
    } catch {
      return router.match('GET', path);
    }
  };
  return async (call) => {
    const { arrival, event } = call;
    const { operation, route, params } = match(arrival.method, arrival.path.replace(/\/+$/, ''));
    const caller = route.auth === 'none' ? undefined : await validated(identity, arrival.headers['x-auth-token']);
    const text = () => {
      if ((event.body?.length ?? 0) > MAX_BODY) throw new LimitExceeded(`The body is larger than ${MAX_BODY} bytes.`);
      return bodyText(event);
    };
    return operate({
      ...readingOf(call, edgeSecret),
      operation,
      route,
      params,
      baseUrl: baseUrlOf(arrival, config),
      caller,
      text,
    });
  };
}

const REQUIRED = 'The request you have made requires authentication.';

/** Why a token does not hold is nobody's business but its holder's log. @throws Unauthenticated */
async function validated(identity: TokenValidator, token: string | undefined): Promise<ValidToken> {
  if (!token) throw new Unauthenticated(REQUIRED);
  try {
    return await identity.validate(token);
  } catch (error) {
    if (error instanceof Unauthenticated) throw new Unauthenticated(REQUIRED, { cause: error });
    throw error;
  }
}
