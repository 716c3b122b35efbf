import { isDeepStrictEqual } from 'node:util';
import { createRouter, type Match } from '../../api/router.ts';
import { type Operation, ROUTES } from '../../api/routes.ts';
import { selectVersion } from '../../api/versions.ts';
import type { ApiHandler } from '../../functions/api/chain.ts';

const router = createRouter<Operation>(ROUTES);

/**
 * Holds every success of a handler to the schemas of its row: the body is what the schema says and has no key that it does not know,
 * the headers that the row names are there.
 */
export function held(handler: ApiHandler): ApiHandler {
  return async (event, context) => {
    const result = await handler(event, context);
    const { method } = event.requestContext.http;
    const match = found(method, encodeURI(event.rawPath));
    if (match === undefined || result.statusCode !== match.route.success || result.statusCode >= 400) return result;
    const { operation, route } = match;
    const problem = problemOf(route, result.body ?? '', result.headers ?? {}, method);
    if (problem !== undefined) throw new Error(`the answer of ${operation} is not what api/routes.ts says: ${problem}`);
    return result;
  };
}

function found(method: string, rawPath: string): Match<Operation> | undefined {
  const selected = selectVersion(rawPath, undefined);
  const path = selected.kind === 'api' ? selected.path : rawPath.replace(/\/+$/, '');
  for (const verb of method === 'HEAD' ? ['HEAD', 'GET'] : [method])
    try {
      return router.match(verb, path);
    } catch {
      // the handler's own tests say what becomes of it
    }
  return undefined;
}

function problemOf(
  { answer, answerHeaders }: Match<Operation>['route'],
  text: string,
  headers: Readonly<Record<string, unknown>>,
  method: string,
): string | undefined {
  const heads = answerHeaders?.safeParse(headers);
  if (heads?.success === false) return heads.error.message;
  if (method === 'HEAD') return undefined;
  if (answer === undefined) return text === '' ? undefined : `it has a body: ${text}`;
  const body: unknown = JSON.parse(text);
  const read = answer.safeParse(body);
  if (!read.success) return read.error.message;
  return isDeepStrictEqual(read.data, body) ? undefined : `keys are missing in the schema of ${text}`;
}
