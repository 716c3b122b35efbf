import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DynamoDb } from './dynamodb/server.ts';
import type { DeliveryQueue } from './eventbridge/delivery-queue.ts';
import type { BusEvent } from './eventbridge/event.ts';
import type { Iam, RoleInput } from './iam/iam.ts';
import type { Functions } from './lambda/functions.ts';
import { functionRecord, MAX_FUNCTION_SECONDS } from './lambda/server.ts';
import type { Scheduler } from './scheduler/server.ts';
import { AwsError, toAwsError } from './wire/aws-error.ts';
import { readBody, send } from './wire/body.ts';

/** What the private paths reach. */
export interface PrivateOptions {
  functions: Functions;
  containers: Functions;
  scheduler: Scheduler;
  queue: DeliveryQueue;
  dynamodb: DynamoDb;
  /** Absent: no policies are asked. */
  iam: Iam | undefined;
  /** Shared secret; undefined: no check. */
  deliver: (event: BusEvent) => void;
  token: string | undefined;
}

const BODY_LIMIT = 1024 * 1024;
/** A container task has no time limit of its own; Fargate retires it after 14 days. */
const MAX_CONTAINER_SECONDS = 14 * 86_400;

/**
 * Answers `/_glimpse/...`: what AWS has other ways for.
 *
 * | Request | Does |
 * |---|---|
 * | `PUT` / `DELETE /_glimpse/lambda/{name}` | registers `{url, timeoutSeconds?, memoryMiB?, description?}` / removes |
 * | `PUT` / `DELETE /_glimpse/containers/{name}` | the same for an entry that `ecs:runTask` starts; name = task definition family |
 * | `POST /_glimpse/schedules/{name}/fire` | runs a schedule's target now |
 * | `POST /_glimpse/dynamodb/sweep` | deletes expired items now |
 * | `GET` / `DELETE /_glimpse/dynamodb/report` | requests and units per key, when strict / counts anew |
 * | `PUT /_glimpse/iam/roles/{name}` | makes or replaces a role for the JSON services: `{accessKeyId?, policies}` |
 * | `GET /_glimpse/iam/report` | what roles asked the JSON services for, and what it came to |
 * | `GET /_glimpse/dead-letters` | deliveries that were given up |
 * | `POST /_glimpse/events` | takes an event, as the bus of this process would (S3 in another process) |
 * | `GET /_glimpse/health` | 200 |
 */
export function privatePaths(options: PrivateOptions) {
  return async (req: IncomingMessage, res: ServerResponse, path: string): Promise<void> => {
    const json = { 'content-type': 'application/json' };
    try {
      authorize(options.token, req);
      const body = await readBody(req, BODY_LIMIT);
      const [, , area = '', name = '', action = ''] = path.split('/').map(decodeURIComponent);
      const operation = `${req.method} ${area}${action === '' ? '' : `/${action}`}`;
      const result = await run(options, operation, { name, action, body });
      send(res, 200, json, JSON.stringify(result));
    } catch (caught) {
      const error = toAwsError(caught);
      send(res, error.status, json, JSON.stringify({ __type: error.code, message: error.message }));
    }
  };
}

function authorize(token: string | undefined, req: IncomingMessage): void {
  if (token === undefined) return;
  const given = Buffer.from(String(req.headers['x-glimpse-control'] ?? ''));
  const wanted = Buffer.from(token);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new AwsError('AccessDeniedException', 'the header x-glimpse-control is missing or wrong', 403);
  }
}

async function run(
  options: PrivateOptions,
  operation: string,
  { name, action, body }: { name: string; action: string; body: Buffer },
): Promise<unknown> {
  switch (operation) {
    case 'PUT lambda':
      return register(options.functions, name, body, MAX_FUNCTION_SECONDS);
    case 'DELETE lambda':
      return { removed: options.functions.remove(name) };
    case 'PUT containers':
      return register(options.containers, name, body, MAX_CONTAINER_SECONDS);
    case 'DELETE containers':
      return { removed: options.containers.remove(name) };
    case 'POST schedules/fire':
      options.scheduler.fire(name);
      return {};
    case 'POST dynamodb':
      return { swept: await options.dynamodb.sweep() };
    case 'GET dynamodb':
      return { keys: options.dynamodb.meter?.report() ?? [] };
    case 'DELETE dynamodb':
      options.dynamodb.meter?.reset();
      return {};
    case `PUT iam/${action}`:
      options.iam?.put(action, JSON.parse(body.toString('utf8')) as RoleInput);
      return {};
    case 'GET iam':
      return { asked: options.iam?.report() ?? [] };
    case 'GET dead-letters':
      return { deadLetters: options.queue.deadLetters };
    case 'POST events':
      options.deliver(JSON.parse(body.toString('utf8')) as BusEvent);
      return {};
    case 'GET health':
      return { status: 'ok' };
    default:
      throw new AwsError('ResourceNotFoundException', `no such private path: ${operation}`, 404);
  }
}

function register(functions: Functions, name: string, body: Buffer, maxSeconds: number): object {
  const record = functionRecord(name, JSON.parse(body.toString('utf8')), maxSeconds);
  functions.register(record);
  return record;
}
