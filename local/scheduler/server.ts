import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { DeliveryQueue } from '../eventbridge/delivery-queue.ts';
import { AwsError, required, toAwsError } from '../wire/aws-error.ts';
import { readBody, send } from '../wire/body.ts';
import { openJournal } from '../wire/journal.ts';
import { isObject, type Json, type JsonObject, objectAt, stringAt } from '../wire/json.ts';
import { type NextFire, parseSchedule } from './expression.ts';

const BODY_LIMIT = 1024 * 1024;
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Schedule {
  name: string;
  expression: string;
  state: string;
  target: JsonObject;
  settings: JsonObject;
  createdAtMs: number;
  modifiedAtMs: number;
}

type Line = { schedule: Schedule } | { deleted: string };

export interface Scheduler {
  /** Answers a request below `/schedules`. */
  handle(req: IncomingMessage, res: ServerResponse, path: string, query: URLSearchParams): Promise<void>;
  /** Queues a schedule's target now, whatever its time. Throws ResourceNotFoundException. */
  fire(name: string): void;
  /** Starts the clocks. */
  start(): void;
  close(): void;
}

/** Opens the embedded EventBridge Scheduler: group `default`, targets are functions and state machines. */
export function openScheduler(options: { dataDir?: string | undefined; queue: DeliveryQueue }): Scheduler {
  const path = options.dataDir === undefined ? undefined : join(options.dataDir, 'schedules.jsonl');
  const { journal, records } = openJournal<Line>(path);
  const schedules = new Map<string, Schedule>();
  const timers = new Map<string, NodeJS.Timeout>();
  let started = false;
  for (const line of records) {
    if ('schedule' in line) schedules.set(line.schedule.name, line.schedule);
    else schedules.delete(line.deleted);
  }
  journal.rewrite([...schedules.values()].map((schedule) => ({ schedule })));

  const fire = (schedule: Schedule): void =>
    options.queue.add([
      { target: String(schedule.target['Arn']), payload: inputOf(schedule), origin: `schedule ${schedule.name}` },
    ]);
  const arm = (schedule: Schedule, next: NextFire): void => {
    clearTimeout(timers.get(schedule.name));
    const atMs = schedule.state === 'ENABLED' && started ? next(Date.now()) : undefined;
    if (atMs === undefined) return;
    const waitMs = Math.min(atMs - Date.now(), MAX_TIMER_MS);
    const timer = setTimeout(() => {
      if (Date.now() >= atMs) fire(schedule);
      arm(schedule, next);
    }, waitMs);
    timer.unref();
    timers.set(schedule.name, timer);
  };
  const save = (schedule: Schedule): void => {
    const next = expressionOf(schedule);
    schedules.set(schedule.name, schedule);
    journal.append({ schedule });
    arm(schedule, next);
  };
  const remove = (name: string): void => {
    found(schedules, name);
    clearTimeout(timers.get(name));
    schedules.delete(name);
    journal.append({ deleted: name });
  };

  return {
    fire: (name) => fire(found(schedules, name)),
    start: () => {
      started = true;
      for (const schedule of schedules.values()) arm(schedule, expressionOf(schedule));
    },
    close: () => {
      for (const timer of timers.values()) clearTimeout(timer);
      journal.close();
    },
    handle: async (req, res, path, query) => {
      try {
        const body = await bodyOf(req);
        const name = decodeURIComponent(path.split('/')[2] ?? '');
        const result = route(
          { schedules, save, remove },
          `${req.method}${name === '' ? ' all' : ''}`,
          name,
          body,
          query,
        );
        send(res, 200, { 'content-type': 'application/json' }, JSON.stringify(result));
      } catch (caught) {
        const error = toAwsError(caught);
        const headers = { 'content-type': 'application/json', 'x-amzn-errortype': error.code };
        send(res, error.status, headers, JSON.stringify({ Message: error.message }));
      }
    },
  };
}

interface Register {
  schedules: ReadonlyMap<string, Schedule>;
  save(schedule: Schedule): void;
  remove(name: string): void;
}

function route(register: Register, method: string, name: string, body: JsonObject, query: URLSearchParams): JsonObject {
  const known = register.schedules.get(name);
  switch (method) {
    case 'POST':
      if (known !== undefined) throw new AwsError('ConflictException', `Schedule ${name} already exists.`, 409);
      return put(register, name, body, Date.now());
    case 'PUT':
      return put(register, name, body, found(register.schedules, name).createdAtMs);
    case 'GET':
      return described(found(register.schedules, name));
    case 'DELETE':
      register.remove(name);
      return {};
    case 'GET all': {
      const prefix = query.get('NamePrefix') ?? '';
      const matching = [...register.schedules.values()].filter((schedule) => schedule.name.startsWith(prefix));
      return { Schedules: matching.map(listed) };
    }
    default:
      throw new AwsError('UnknownOperationException', `${method} is not supported for schedules`, 404);
  }
}

function put(register: Register, name: string, body: JsonObject, createdAtMs: number): JsonObject {
  const target = objectAt(body, 'Target');
  if (target === undefined || stringAt(target, 'Arn') === undefined) {
    throw new AwsError('ValidationException', 'Target with Arn is required');
  }
  const { ScheduleExpression: _expression, State: _state, Target: _target, ...settings } = body;
  register.save({
    name,
    expression: required(body, 'ScheduleExpression'),
    state: stringAt(body, 'State') ?? 'ENABLED',
    target,
    settings,
    createdAtMs,
    modifiedAtMs: Date.now(),
  });
  return { ScheduleArn: scheduleArn(name) };
}

function expressionOf(schedule: Schedule): NextFire {
  try {
    return parseSchedule(schedule.expression, schedule.createdAtMs);
  } catch (error) {
    throw invalid(error);
  }
}

const invalid = (error: unknown): AwsError =>
  new AwsError('ValidationException', error instanceof Error ? error.message : String(error));

function found(schedules: ReadonlyMap<string, Schedule>, name: string): Schedule {
  const schedule = schedules.get(name);
  if (schedule === undefined) throw new AwsError('ResourceNotFoundException', `Schedule ${name} does not exist.`, 404);
  return schedule;
}

function inputOf(schedule: Schedule): Json {
  const text = stringAt(schedule.target, 'Input');
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

const scheduleArn = (name: string): string => `arn:aws:scheduler:us-east-1:000000000000:schedule/default/${name}`;

const listed = (schedule: Schedule): JsonObject => ({
  Arn: scheduleArn(schedule.name),
  Name: schedule.name,
  GroupName: 'default',
  State: schedule.state,
  CreationDate: schedule.createdAtMs / 1000,
  LastModificationDate: schedule.modifiedAtMs / 1000,
  Target: { Arn: schedule.target['Arn'] ?? '' },
});

const described = (schedule: Schedule): JsonObject => ({
  ...schedule.settings,
  ...listed(schedule),
  ScheduleExpression: schedule.expression,
  Target: schedule.target,
});

async function bodyOf(req: IncomingMessage): Promise<JsonObject> {
  const bytes = await readBody(req, BODY_LIMIT);
  const value: unknown = bytes.length === 0 ? {} : JSON.parse(bytes.toString('utf8'));
  return isObject(value) ? value : {};
}
