import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';

/**
 * Has `server` answer `Expect: 100-continue` (RFC 9110, section 10.1.1) only when somebody begins to read the body: who is refused
 * before that hears it instead of a 100, and has sent nothing. For every server of ours; a listener needs to know nothing of it.
 */
export function continueWhenRead(server: Server, listener: RequestListener): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    const read = request._read;
    request._read = (size) => {
      request._read = read;
      // The rest of a body is also read to be forgotten, after the answer.
      if (!response.headersSent && !response.destroyed) response.writeContinue();
      read.call(request, size);
    };
    listener(request, response);
  });
}
