/** The Runtime API of one execution environment: a port of its own from which its process takes invocations, one after the other. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen } from '../front.ts';
import { AwsError } from '../wire/aws-error.ts';
import { readBody, send } from '../wire/body.ts';
import type { Json } from '../wire/json.ts';
import { errorIn, type FunctionError, RESPONSE_LIMIT, responseTooLarge } from './function-error.ts';
import type { Callback, CallbackAnswer } from './functions.ts';

/** What the process does, as its owner sees it. */
export interface RuntimeEvents {
  /** It asks for the next invocation: it may be frozen until there is one. */
  onNext(): void;
  /** What the running invocation came to. */
  onAnswer(answer: CallbackAnswer): void;
  /** Its code cannot be loaded. */
  onInitError(error: FunctionError): void;
}

export interface RuntimeApi {
  /** For AWS_LAMBDA_RUNTIME_API. */
  readonly address: string;
  /** Hands an invocation to the process that asked for one. */
  give(callback: Callback): void;
  close(): Promise<void>;
}

export async function openRuntimeApi(events: RuntimeEvents): Promise<RuntimeApi> {
  let waiting: ServerResponse | undefined;
  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const [, what = '', id, result] =
      /^\/2018-06-01\/runtime\/(init|invocation)(?:\/([\w-]+))?(?:\/(\w+))?$/.exec(req.url ?? '') ?? [];
    if (req.method === 'GET' && what === 'invocation' && id === 'next') {
      waiting = res;
      events.onNext();
      return;
    }
    const accepted = () => send(res, 202, { 'content-type': 'application/json' }, '{"status":"OK"}');
    if (what === 'init') {
      events.onInitError(await reportedError(req));
      return accepted();
    }
    if (result === 'error') {
      const error = await reportedError(req);
      accepted();
      return events.onAnswer({ error });
    }
    if (result !== 'response') throw new AwsError('UnknownOperationException', `no ${req.method} ${req.url}`, 404);
    const answer = await responseIn(req);
    if ('error' in answer) send(res, 413, {}, '');
    else accepted();
    events.onAnswer(answer);
  };
  const { port, close } = await listen(handle, 0);
  return {
    address: `127.0.0.1:${port}`,
    give: ({ event, context }) => {
      const res = waiting;
      waiting = undefined;
      if (res === undefined) throw new Error('the process did not ask for an invocation');
      const headers = {
        'content-type': 'application/json',
        'lambda-runtime-aws-request-id': context.awsRequestId,
        'lambda-runtime-deadline-ms': String(context.deadlineMs),
        'lambda-runtime-invoked-function-arn': context.invokedFunctionArn,
        'lambda-runtime-trace-id': traceId(context.awsRequestId),
      };
      send(res, 200, headers, JSON.stringify(event));
    },
    close,
  };
}

/** What a function returned, or that it is too large. */
async function responseIn(req: IncomingMessage): Promise<CallbackAnswer> {
  try {
    return { payload: JSON.parse((await readBody(req, RESPONSE_LIMIT)).toString('utf8')) as Json };
  } catch (error) {
    if (!(error instanceof AwsError && error.status === 413)) throw error;
    return { error: responseTooLarge() };
  }
}

/** Sampled, so that what the function does to be traced is done. */
function traceId(requestId: string): string {
  const hex = requestId.replaceAll('-', '').padEnd(32, '0');
  const seconds = Math.floor(Date.now() / 1000).toString(16);
  return `Root=1-${seconds}-${hex.slice(0, 24)};Parent=${hex.slice(16, 32)};Sampled=1`;
}

const reportedError = async (req: IncomingMessage): Promise<FunctionError> =>
  errorIn(JSON.parse((await readBody(req, RESPONSE_LIMIT)).toString('utf8')));
