/**
 * The one way from an HTTP event (API Gateway, payload format 2.0) to an operation and back, as a middy chain of the steps of
 * api/edge.ts. What differs between the image service and Keystone is a dialect.
 */
import middy, { type MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { vouchedClient } from '../../api/client-address.ts';
import { type Arrival, type EdgeAnswer, preflightAnswer } from '../../api/edge.ts';
import { Busy, InvalidInput } from '../../core/errors.ts';

/** One request on its way through the chain. */
export interface Call {
  readonly arrival: Arrival;
  readonly event: APIGatewayProxyEventV2;
  /** What the router is asked for: a dialect may say it in its own form. */
  path: string;
  requestId?: string;
  /** The answer shows no request id: it comes from before the API. */
  anonymous: boolean;
}

/** How one service speaks HTTP. */
export interface Dialect {
  /** The request's id. @throws HeaderTooLarge where the service refuses such a request */
  idOf(arrival: Arrival): string;
  /** The answer to whatever was thrown. */
  refusal(error: unknown, call: Call): EdgeAnswer;
  /** Answers that need no token. */
  early?(call: Call): EdgeAnswer | undefined;
  /** From a request to the answer of its operation. */
  answer(call: Call): Promise<EdgeAnswer>;
  /** What every answer gets on its way out. */
  finish(answer: EdgeAnswer, call: Call): EdgeAnswer;
}

interface ApiEvent extends APIGatewayProxyEventV2 {
  call: Call;
}
type Layer = MiddlewareObj<ApiEvent, EdgeAnswer, Error>;

export type ApiHandler = (
  event: APIGatewayProxyEventV2,
  context?: object,
) => Promise<APIGatewayProxyStructuredResultV2>;

/** What is not done when the function's time is nearly over has been asked of a service that is busy: it is nobody's fault, and worth another try. */
const OUT_OF_TIME = {
  timeoutEarlyInMillis: 100,
  timeoutEarlyResponse: (): never => {
    throw new Busy('The request took longer than it may; try again later.', 5);
  },
};

/** Builds the entry point of a service. Stateless: any number may run side by side. */
export function createChain(dialect: Dialect): ApiHandler {
  const chain = middy<ApiEvent, EdgeAnswer>(async ({ call }: ApiEvent) => dialect.answer(call), OUT_OF_TIME)
    .use(requestId(dialect))
    .use(early(({ arrival }) => preflightAnswer(arrival)))
    .use(errors(dialect))
    .use(early((call) => dialect.early?.(call)));
  return async (event, context = {}) => {
    const arrival = arrivalOf(event);
    const call: Call = { arrival, event, path: arrival.path, anonymous: false };
    // Middy's own type of the context is Lambda's, of which the chain reads nothing; its result is what the layers put there.
    const answer = (await chain({ ...event, call }, context as Parameters<typeof chain>[1])) as EdgeAnswer;
    // Middy skips `after` on early answers, so what every answer carries is added here.
    return dialect.finish(answer, call);
  };
}

function requestId(dialect: Dialect): Layer {
  return {
    before: ({ event: { call } }) => {
      call.requestId = dialect.idOf(call.arrival);
    },
  };
}

/** Answers on the way in, without a request id. */
function early(answerTo: (call: Call) => EdgeAnswer | undefined): Layer {
  return {
    before: (request) => {
      const { call } = request.event;
      const answer = answerTo(call);
      if (answer === undefined) return;
      call.anonymous = true;
      request.earlyResponse = { ...answer };
    },
  };
}

function errors(dialect: Dialect): Layer {
  return {
    onError: (request) => {
      request.response = { ...dialect.refusal(request.error, request.event.call) };
    },
  };
}

function arrivalOf({ requestContext, rawPath, headers }: APIGatewayProxyEventV2): Arrival {
  return { method: requestContext.http.method, path: encoded(rawPath), headers, host: requestContext.domainName };
}

/**
 * The path as it stands in a URL. An HTTP API has decoded `rawPath` as a whole; the router decodes segments, so that `%` and `%25`
 * in a name would be read twice. What was `%2F` is a slash by now, and makes a path that matches nothing; so does U+FFFD, which is
 * what bytes became that were no UTF-8.
 */
function encoded(rawPath: string): string {
  return encodeURI(rawPath.toWellFormed()).replace(/[?#]/g, encodeURIComponent).replaceAll('%EF%BF%BD', '%FF');
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

/**
 * What an operation reads of an event, whatever its service.
 * @param edgeSecret by which an edge in front of the API is known; without one the client is who connected to the API
 */
export function readingOf({ event, arrival }: Call, edgeSecret?: string) {
  return {
    headers: arrival.headers,
    search: new URLSearchParams(event.rawQueryString),
    path: arrival.path,
    source: vouchedClient(arrival.headers, edgeSecret) ?? event.requestContext.http.sourceIp,
  };
}
