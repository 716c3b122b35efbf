import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AwsError, toAwsError } from '../wire/aws-error.ts';
import { readBody, send } from '../wire/body.ts';
import { isObject, type Json, type JsonObject, numberAt, stringAt } from '../wire/json.ts';
import { type FunctionRecord, type Functions, functionArn, NoSuchFunction, Unreachable } from './functions.ts';

/** Largest payload of a synchronous invocation. */
const SYNC_LIMIT = 6 * 1024 * 1024;
/** Largest payload of an asynchronous invocation. */
const ASYNC_LIMIT = 1024 * 1024;
/** Lambda's own maximum, and what a function registered without a limit gets. */
export const MAX_FUNCTION_SECONDS = 900;

/** What the Invoke API needs besides the functions: a durable queue for asynchronous invocations. */
export interface LambdaOptions {
  functions: Functions;
  enqueue: (functionArn: string, payload: Json) => void;
}

/** Answers the control and Invoke API (AWS Lambda API Reference): a path below `/2015-03-31/functions`. */
export function lambdaHandler(options: LambdaOptions) {
  return async (req: IncomingMessage, res: ServerResponse, path: string): Promise<void> => {
    try {
      await route(options, req, res, path);
    } catch (caught) {
      const error = toAwsError(caught);
      const headers = { 'content-type': 'application/json', 'x-amzn-errortype': error.code };
      send(
        res,
        error.status,
        headers,
        JSON.stringify({ Type: 'User', Message: error.message, message: error.message }),
      );
    }
  };
}

async function route(options: LambdaOptions, req: IncomingMessage, res: ServerResponse, path: string): Promise<void> {
  const [, name, action] = /^\/2015-03-31\/functions(?:\/([^/]+))?(?:\/([^/]+))?\/?$/.exec(path) ?? [];
  const answer = (body: JsonObject) => send(res, 200, { 'content-type': 'application/json' }, JSON.stringify(body));
  const operation = `${req.method} ${name === undefined ? 'functions' : 'function'} ${action ?? ''}`.trimEnd();
  switch (operation) {
    case 'POST function invocations':
      return await invoke(options, functionName(name), req, res);
    case 'GET functions':
      return answer({ Functions: options.functions.list().map(configuration) });
    case 'GET function':
      return answer({ Configuration: configuration(known(options, name)), Code: { RepositoryType: 'callback' } });
    case 'GET function configuration':
      return answer(configuration(known(options, name)));
    default:
      throw new AwsError('UnknownOperationException', `${req.method} ${path} is not supported`, 404);
  }
}

function functionName(encoded: string | undefined): string {
  const parts = decodeURIComponent(encoded ?? '').split(':');
  const at = parts.indexOf('function');
  return (at >= 0 ? parts[at + 1] : parts[0]) ?? '';
}

function known(options: LambdaOptions, encoded: string | undefined): FunctionRecord {
  const name = functionName(encoded);
  const record = options.functions.get(name);
  if (record === undefined) throw notFound(`Function not found: ${functionArn(name)}`);
  return record;
}

const notFound = (message: string): AwsError => new AwsError('ResourceNotFoundException', message, 404);

const configuration = (record: FunctionRecord): JsonObject => ({
  FunctionName: record.name,
  FunctionArn: functionArn(record.name),
  Runtime: 'nodejs24.x',
  State: 'Active',
  LastUpdateStatus: 'Successful',
  Timeout: record.timeoutSeconds,
  MemorySize: record.memoryMiB,
  Description: record.description,
  Version: '$LATEST',
});

async function invoke(options: LambdaOptions, name: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const type = String(req.headers['x-amz-invocation-type'] ?? 'RequestResponse');
  const payload = payloadOf(await body(req, type));
  known(options, encodeURIComponent(name));
  const headers = { 'x-amzn-requestid': randomUUID(), 'x-amz-executed-version': '$LATEST' };
  if (type === 'DryRun') return send(res, 204, headers, '');
  if (type === 'Event') {
    options.enqueue(functionArn(name), payload);
    return send(res, 202, headers, '');
  }
  const answer = await callFunction(options.functions, name, payload);
  if ('payload' in answer) {
    return send(res, 200, { ...headers, 'content-type': 'application/json' }, JSON.stringify(answer.payload));
  }
  const failure = { ...headers, 'content-type': 'application/json', 'x-amz-function-error': 'Unhandled' };
  send(res, 200, failure, JSON.stringify({ ...answer.error, trace: [] }));
}

async function callFunction(functions: Functions, name: string, payload: Json) {
  try {
    return await functions.invoke(name, payload);
  } catch (error) {
    if (error instanceof NoSuchFunction) throw notFound(error.message);
    if (error instanceof Unreachable) throw serviceError(error.message);
    throw error;
  }
}

const serviceError = (message: string): AwsError => new AwsError('ServiceException', message, 500);

async function body(req: IncomingMessage, type: string): Promise<Buffer> {
  try {
    return await readBody(req, type === 'Event' ? ASYNC_LIMIT : SYNC_LIMIT);
  } catch (error) {
    if (error instanceof AwsError && error.status === 413) throw tooLarge(error.message);
    throw error;
  }
}

const tooLarge = (message: string): AwsError => new AwsError('RequestTooLargeException', message, 413);

function payloadOf(bytes: Buffer): Json {
  if (bytes.length === 0) return {};
  try {
    return JSON.parse(bytes.toString('utf8')) as Json;
  } catch (error) {
    throw invalidContent(error);
  }
}

const invalidContent = (cause: unknown): AwsError =>
  new AwsError('InvalidRequestContentException', `Could not parse request body into json: ${String(cause)}`, 400);

/**
 * Reads a registration: `{url, timeoutSeconds?, memoryMiB?, description?}`; `maxSeconds` is the limit when it states none.
 * Throws ValidationException.
 */
export function functionRecord(name: string, input: unknown, maxSeconds: number): FunctionRecord {
  const url = isObject(input) ? stringAt(input, 'url') : undefined;
  if (!isObject(input) || url === undefined || !url.startsWith('http://')) {
    throw new AwsError('ValidationException', `the registration of ${name} needs an http url`);
  }
  return {
    name,
    url,
    timeoutSeconds: numberAt(input, 'timeoutSeconds') ?? maxSeconds,
    memoryMiB: numberAt(input, 'memoryMiB') ?? 128,
    description: stringAt(input, 'description') ?? '',
  };
}
