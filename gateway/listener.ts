import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { errorAnswer } from '../api/errors.ts';
import { isOriginForm } from '../api/request-target.ts';
import { InvalidInput } from '../core/errors.ts';

/**
 * A request listener that cannot end its process: a target that is no path is answered with 400 before anybody reads it, and what
 * `answer` throws, at once or later, is printed and ends one exchange. Every server and every part that listens is made by it.
 */
export function listener(
  answer: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
): RequestListener {
  const guarded = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      if (isOriginForm(request.url)) await answer(request, response);
      else refuse(response, new InvalidInput('The request target is not a path.'), request.headers.accept);
    } catch (error) {
      process.stderr.write(`request failed: ${error instanceof Error ? error.stack : String(error)}\n`);
      if (response.headersSent) response.destroy();
      else refuse(response, error, request.headers.accept);
    }
  };
  return (request, response) => {
    // A connection that breaks is noticed by whoever reads or writes it.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    guarded(request, response).catch(() => response.destroy());
  };
}

/** The connection ends with the answer: what the client goes on to send is not to be trusted to be another request. */
function refuse(response: ServerResponse, error: unknown, accept: string | undefined): void {
  const { statusCode, headers, body } = errorAnswer(error, { accept });
  response
    .writeHead(statusCode, { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' })
    .end(body);
}
