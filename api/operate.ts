/** From a matched row to an answer: its schemas read the request, its handler is called, its status and headers make the answer. */
import type { z } from 'zod';
import { type EdgeAnswer, jsonAnswer } from './edge.ts';
import type { Handlers } from './handlers.ts';
import { parseAs, parseJson } from './json-body.ts';
import type { Configured, Route, Settings } from './route.ts';
import type { Operation } from './routes.ts';

/** What is known of a request when its row is found. */
export interface Matched<O extends Operation> {
  readonly operation: O;
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly search: URLSearchParams;
  readonly path: string;
  readonly baseUrl: string;
  readonly source: string;
  /** Who calls, in the words of the row's group. */
  readonly caller: unknown;
  /** The body. @throws InvalidInput when it is no text, LimitExceeded when it is too large */
  text(): string;
}

/** An answer without a body, in the form of its service. */
export type EmptyAnswer = (statusCode: number) => EdgeAnswer;

/** Runs operations of one entry point; schemas that depend on settings are made once. */
export function createOperate<O extends Operation>(
  handlers: Handlers<O>,
  settings: Settings,
  empty: EmptyAnswer,
): (matched: Matched<O>) => Promise<EdgeAnswer> {
  const made = new Map<Configured, z.ZodType>();
  const schema = (configured: Configured): z.ZodType => {
    if (typeof configured !== 'function') return configured;
    const known = made.get(configured) ?? configured(settings);
    made.set(configured, known);
    return known;
  };
  const parsed = ({ route, ...matched }: Matched<O>) => ({
    ...matched,
    params: parseAs(route.params, matched.params),
    headers: route.headers === undefined ? {} : parseAs(route.headers, matched.headers),
    query: () => (route.query === undefined ? undefined : parseAs(schema(route.query), matched.search)),
    body: () => {
      if (route.body === undefined || route.body === 'refused') return undefined;
      return parseAs(schema(route.body), parseJson(matched.text()));
    },
  });
  return async (matched) => {
    const { operation, route } = matched;
    const handler = handlers[operation];
    // The row that read the request is the row that types the handler: both were found under the name of the operation.
    const answered: unknown = await handler(parsed(matched) as never);
    const { value, headers } = replyOf(route, answered);
    const answer = value === undefined ? empty(route.success) : jsonAnswer(route.success, value);
    return { ...answer, headers: { ...answer.headers, ...headers } };
  };
}

function replyOf(
  route: Route,
  answered: unknown,
): { readonly value: unknown; readonly headers: Record<string, string> } {
  if (route.answerHeaders === undefined) return { value: answered, headers: {} };
  // Handlers of rows with `answerHeaders` return a Reply (api/handlers.ts).
  return answered as { readonly value: unknown; readonly headers: Record<string, string> };
}
