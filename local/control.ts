/**
 * The JSON services of the embedded AWS in one process: DynamoDB, Step Functions, Lambda, EventBridge, Scheduler, and the
 * private `/_glimpse` paths through which functions register. S3 is not here: it has the port (front.ts).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { openEmbeddedDynamoDb } from './dynamodb/open.ts';
import {
  type Delivery,
  type DeliveryQueue,
  openDeliveryQueue,
  TargetFailed,
  Undeliverable,
} from './eventbridge/delivery-queue.ts';
import { type BusEvent, busEvent } from './eventbridge/event.ts';
import { type EventBridge, openEventBridge } from './eventbridge/server.ts';
import { iamGuard } from './iam/guard.ts';
import { Iam } from './iam/iam.ts';
import { type Functions, openFunctions } from './lambda/functions.ts';
import { lambdaHandler } from './lambda/server.ts';
import { privatePaths } from './private-paths.ts';
import { openScheduler } from './scheduler/server.ts';
import { plainFunctionName } from './stepfunctions/resources.ts';
import { openStepFunctions, type StepFunctions } from './stepfunctions/server.ts';
import type { Strict } from './strict.ts';
import { taskPorts } from './task-ports.ts';
import { AwsError } from './wire/aws-error.ts';
import { send } from './wire/body.ts';
import { serveJson, splitTarget } from './wire/json-rpc.ts';

/** Settings of the JSON services. */
export interface ControlOptions {
  /** The data folder; DynamoDB, Step Functions and events have their own below it. Absent: all in memory. */
  dataDir?: string | undefined;
  /** When set, `/_glimpse` paths need it in the header `x-glimpse-control`. */
  controlToken?: string | undefined;
  /** Factor on the time limits of functions. */
  timeoutScale?: number;
  /** Factor on Wait states and retry delays of executions, and on delays between deliveries. */
  waitScale?: number;
  /** Milliseconds between two sweeps of expired DynamoDB items. */
  sweepIntervalMs?: number;
  /** Which services are as hard as AWS. */
  strict?: Strict | undefined;
}

/** The services, ready to be put behind a port. */
export interface Control {
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** Takes an event of S3; it is durable when this returns. */
  deliver(event: BusEvent): void;
  close(): Promise<void>;
}

/** How long, after a start, work of the previous process waits for its function to register. */
const REGISTRATION_GRACE_MS = 30_000;

/** Opens all services and goes on with what a previous process left. Throws one clear error when the data is in use. */
export async function openControl(options: ControlOptions = {}): Promise<Control> {
  const folder = (name: string) => (options.dataDir === undefined ? undefined : join(options.dataDir, name));
  const dynamodb = await openEmbeddedDynamoDb({
    path: folder('dynamodb'),
    strict: options.strict?.dynamodb,
    ...(options.sweepIntervalMs === undefined ? {} : { sweepIntervalMs: options.sweepIntervalMs }),
  });
  const scale = options.waitScale ?? 1;
  const functions = openFunctions({ timeoutScale: options.timeoutScale ?? 1 });
  const containers = openFunctions();
  const eventsDir = folder('events');
  const queue: DeliveryQueue = openDeliveryQueue({
    path: eventsDir === undefined ? undefined : join(eventsDir, 'deliveries.jsonl'),
    deliver: (delivery) => deliverTo(functions, stepFunctions, delivery),
    retryScale: scale,
  });
  const events: EventBridge = openEventBridge({ dataDir: eventsDir, queue });
  const stepFunctions: StepFunctions = openStepFunctions({
    dataDir: folder('stepfunctions'),
    ports: taskPorts(functions, containers, events, Date.now() + REGISTRATION_GRACE_MS),
    announce: (detail, arn) =>
      events.deliver(busEvent('aws.states', 'Step Functions Execution Status Change', detail, [arn])),
    waitScale: scale,
  });
  const scheduler = openScheduler({ dataDir: eventsDir, queue });
  functions.onRegister(() => queue.kick());

  const iam = options.strict?.iam === undefined ? undefined : new Iam(options.strict.iam);
  const guard = iamGuard(iam, dynamodb.partitionKeyOf);
  const services = [dynamodb.service, stepFunctions.service, events.service];
  const targets = new Map(services.map((service) => [service.target, service]));
  const lambda = lambdaHandler({
    functions,
    enqueue: (target, payload) => queue.add([{ target, payload, origin: 'asynchronous invocation' }]),
  });
  const glimpse = privatePaths({
    functions,
    containers,
    scheduler,
    queue,
    dynamodb,
    iam,
    deliver: (event) => events.deliver(event),
    token: options.controlToken,
  });

  queue.start();
  scheduler.start();
  stepFunctions.resume();

  return {
    deliver: (event) => events.deliver(event),
    handle: async (req, res) => {
      const target = req.headers['x-amz-target'];
      if (typeof target === 'string') {
        const { service: name, operation } = splitTarget(target);
        const service = targets.get(name);
        if (service !== undefined)
          return await serveJson(service, operation, req, res, guard.json(req, name, operation));
      }
      const url = new URL(req.url ?? '/', 'http://localhost');
      if (!guard.rest(req, res, url.pathname)) return;
      if (url.pathname.startsWith('/2015-03-31/')) return await lambda(req, res, url.pathname);
      if (url.pathname.startsWith('/_glimpse/')) return await glimpse(req, res, url.pathname);
      if (/^\/schedules(\/|$)/.test(url.pathname))
        return await scheduler.handle(req, res, url.pathname, url.searchParams);
      send(res, 404, { 'content-type': 'application/json' }, JSON.stringify({ message: `no service for ${req.url}` }));
    },
    close: async () => {
      scheduler.close();
      stepFunctions.close();
      queue.close();
      events.close();
      functions.close();
      containers.close();
      await dynamodb.close();
    },
  };
}

/** Hands one delivery to its target: a function (waits for its end) or a state machine (starts it). */
async function deliverTo(functions: Functions, machines: StepFunctions, delivery: Delivery): Promise<void> {
  if (delivery.target.includes(':stateMachine:')) {
    try {
      // The delivery's id as name: a repeated delivery does not start a second execution.
      machines.startForEvent(delivery.target, delivery.id, JSON.stringify(delivery.payload));
    } catch (error) {
      throw error instanceof AwsError ? undeliverable(error) : error;
    }
    return;
  }
  if (!delivery.target.includes(':lambda:')) throw new Undeliverable(`no such kind of target: ${delivery.target}`);
  const answer = await functions.invoke(plainFunctionName(delivery.target), delivery.payload);
  if ('error' in answer) throw new TargetFailed(`${answer.error.errorType}: ${answer.error.errorMessage}`);
}

const undeliverable = (cause: AwsError): Undeliverable => new Undeliverable(cause.message, { cause });
