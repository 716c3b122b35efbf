import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AwsError, toAwsError } from './aws-error.ts';
import { readBody, send } from './body.ts';
import { isObject, type JsonObject } from './json.ts';

/** One operation of a service: takes the parsed request, returns the members of the answer (undefined: an empty object). */
export type Operation = (input: JsonObject) => unknown;

/** A service that speaks AWS JSON 1.0 or 1.1: one POST, the operation named in `X-Amz-Target`. */
export interface JsonService {
  /** What stands before the dot of `X-Amz-Target`, for example `AWSStepFunctions`. */
  readonly target: string;
  readonly version: '1.0' | '1.1';
  readonly operations: ReadonlyMap<string, Operation>;
  /** Largest request body in bytes. */
  readonly bodyLimit: number;
}

/** Finds the service and operation that a target names, for example `AWSEvents.PutEvents`. */
export function splitTarget(target: string): { service: string; operation: string } {
  const dot = target.lastIndexOf('.');
  return { service: target.slice(0, dot), operation: target.slice(dot + 1) };
}

/** An answer of the protocol, before it is sent. */
export interface JsonAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

type Authorize = (input: JsonObject) => Promise<void>;

/**
 * Answers one request of the AWS JSON protocol (Smithy, "AWS JSON 1.0 protocol" and "AWS JSON 1.1 protocol"). `authorize` is asked
 * first; what it throws is the answer.
 */
export async function serveJson(
  service: JsonService,
  operation: string,
  req: IncomingMessage,
  res: ServerResponse,
  authorize?: Authorize,
): Promise<void> {
  const { status, headers, text } = await answered(service, async () => {
    const body = await readBody(req, service.bodyLimit);
    return resultOf(service, operation, body, authorize);
  });
  send(res, status, headers, text);
}

/** The same for a body that is here already. */
export const answerJson = (service: JsonService, operation: string, body: Buffer): Promise<JsonAnswer> =>
  answered(service, () => resultOf(service, operation, body));

async function resultOf(
  service: JsonService,
  operation: string,
  body: Buffer,
  authorize?: Authorize,
): Promise<unknown> {
  const run = service.operations.get(operation);
  if (run === undefined) {
    throw new AwsError('UnknownOperationException', `${service.target} has no operation ${operation} here`);
  }
  const input = parse(body);
  await authorize?.(input);
  return (await run(input)) ?? {};
}

async function answered(service: JsonService, run: () => Promise<unknown>): Promise<JsonAnswer> {
  const headers = { 'content-type': `application/x-amz-json-${service.version}`, 'x-amzn-requestid': randomUUID() };
  try {
    return { status: 200, headers, text: JSON.stringify(await run()) };
  } catch (caught) {
    const error = toAwsError(caught);
    const shape = { __type: error.code, message: error.message, ...error.details };
    return { status: error.status, headers, text: JSON.stringify(shape) };
  }
}

const notJson = (cause: unknown): AwsError =>
  new AwsError('SerializationException', `the body is not JSON: ${String(cause)}`, 400, {}, { cause });

function parse(body: Buffer): JsonObject {
  if (body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw notJson(error);
  }
  if (!isObject(value)) throw new AwsError('SerializationException', 'the body is not a JSON object');
  return value;
}
