/** An API Gateway HTTP API in front of one function: a Node listener that speaks payload format 2.0 to the handler. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { FunctionContext } from '../lambda/handler.ts';
import { AwsError } from '../wire/aws-error.ts';
import { readBody } from '../wire/body.ts';
import { proxyEvent } from './event.ts';
import { sendFault, sendResult } from './response.ts';

/** Largest request that an HTTP API accepts, in bytes. */
const REQUEST_LIMIT = 10 * 1024 * 1024;
/** An HTTP API waits at most 30 seconds for its function. */
const DEFAULT_TIMEOUT_MS = 30_000;

/** The function behind the API. */
export type HttpApiHandler = (event: APIGatewayProxyEventV2, context: FunctionContext) => unknown;

export interface HttpApiOptions {
  handler: HttpApiHandler;
  functionName?: string;
  /** Milliseconds until the client gets a 504; the handler goes on. */
  timeoutMs?: number;
}

/** A listener for `node:http` that passes each request to the handler as an event and sends what it returns. */
export function httpApi(options: HttpApiOptions): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const functionName = options.functionName ?? 'api';
  return async (req, res) => {
    try {
      const body = await readBody(req, REQUEST_LIMIT);
      const event = proxyEvent(req, body);
      const timer = setTimeout(
        () => sendFault(res, 504, 'Gateway Timeout', 'The service did not answer in time.'),
        timeoutMs,
      );
      try {
        const result = await options.handler(event, contextOf(functionName, Date.now() + timeoutMs));
        if (!res.headersSent) sendResult(res, result);
      } finally {
        clearTimeout(timer);
      }
    } catch (error) {
      fault(res, error);
    }
  };
}

function contextOf(functionName: string, deadlineMs: number): FunctionContext {
  return {
    awsRequestId: randomUUID(),
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
}

/** A thrown `statusCode` below 500 is honoured; nothing else of an error reaches the client. */
function fault(res: ServerResponse, error: unknown): void {
  if (error instanceof AwsError && error.status === 413) {
    sendFault(res, 413, 'Request Entity Too Large', 'The body is larger than this API accepts.');
    return;
  }
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (error instanceof Error && status >= 400 && status < 500) {
    sendFault(res, status, error.name, error.message);
    return;
  }
  process.stderr.write(`http api: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  sendFault(
    res,
    500,
    'Internal Server Error',
    'The server has either erred or is incapable of performing the request.',
  );
}
