import {
  arrivalId,
  baseUrlOf,
  commonHeaders,
  type EdgeAnswer,
  type EdgeOptions,
  openAnswer,
  refusal,
  showsId,
  tokensOf,
} from '../../api/edge.ts';
import type { Handlers } from '../../api/handlers.ts';
import { createOperate } from '../../api/operate.ts';
import type { Route } from '../../api/route.ts';
import { createRouter, METHODS } from '../../api/router.ts';
import { type Operation, ROUTES } from '../../api/routes.ts';
import { withoutGateway } from '../../api/without-gateway.ts';
import { Forbidden, InvalidInput, NotFound } from '../../core/errors.ts';
import type { Authenticator } from '../../core/identity/authenticator.ts';
import type { Caller } from '../../core/identity/caller.ts';
import { type ApiHandler, bodyText, type Call, createChain, readingOf } from './chain.ts';

export interface ImageServiceOptions<O extends Operation> extends EdgeOptions {
  readonly handlers: Handlers<O>;
  readonly authenticator: Authenticator;
  /** Why this service takes no requests, if so: shown by the health check. */
  readonly disabled?: (() => string | undefined) | undefined;
}

/** The image service's way with requests: health and versions for everybody, a token before any path is looked at. */
export function createImageService<O extends Operation>(options: ImageServiceOptions<O>): ApiHandler {
  const { config, authenticator, handlers, disabled } = options;
  const router = createRouter<Operation>(ROUTES);
  const operate = createOperate(handlers, config, emptyAnswer);
  const isOurs = (operation: Operation): operation is O => Object.hasOwn(handlers, operation);

  const answer = async (call: Call): Promise<EdgeAnswer> => {
    const { arrival, event, path, requestId = '' } = call;
    const caller = await authenticator.authenticate(tokensOf(arrival, requestId));
    const { method } = arrival;
    const baseUrl = baseUrlOf(arrival, config);
    if (path === '/v2' && METHODS.has(method))
      return { statusCode: 302, headers: { location: `${baseUrl}/v2/` }, body: '' };
    const { operation, route, params } = router.match(method, path);
    refuseWrites(caller, method);
    refuseBody(route, call);
    if (route.group === 'gateway' && config.gateway === 'off') throw withoutGateway(method);
    // The table also holds what others answer; such a request was sent to the wrong place.
    if (!isOurs(operation)) throw new NotFound('The resource could not be found.');
    return operate({ ...readingOf(call), operation, route, params, baseUrl, caller, text: () => bodyText(event) });
  };

  return createChain({
    idOf: (arrival) => arrivalId(arrival, options),
    refusal: (error, call) => {
      if (!showsId(error)) call.anonymous = true;
      return refusal(error, call.arrival, options, call.requestId);
    },
    early: (call) => {
      const opened = openAnswer(call.arrival, config, disabled);
      if (!('path' in opened)) return opened;
      call.path = opened.path;
      return undefined;
    },
    answer,
    finish: ({ statusCode, headers, body }, { arrival, anonymous, requestId }) => ({
      statusCode,
      headers: { ...headers, ...commonHeaders(arrival, config, anonymous ? undefined : requestId) },
      body,
    }),
  });
}

/** @throws Forbidden when a caller without a token wants more than to read */
function refuseWrites(caller: Caller, method: string): void {
  if (caller.isReadOnly === true && method !== 'GET' && method !== 'HEAD') throw new Forbidden('Read-only access');
}

/** @throws InvalidInput */
function refuseBody({ body }: Route, { event, arrival }: Call): void {
  const isThere = (event.body !== undefined && event.body !== '') || Number(arrival.headers['content-length'] ?? 0) > 0;
  if (body === 'refused' && isThere) throw new InvalidInput('A body is not expected with this request.');
}

/** Without a type of ours an HTTP API calls the empty body JSON, and glanceclient then fails to parse it. */
function emptyAnswer(statusCode: number): EdgeAnswer {
  return { statusCode, headers: statusCode === 204 ? {} : { 'content-type': 'text/plain; charset=UTF-8' }, body: '' };
}
