import { BatchWriteCommand, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../core/clock.ts';
import { Conflict, NotFound } from '../../core/errors.ts';
import type { TaskRepository } from '../../core/tasks/repository.ts';
import type { BatchProgress, ImportFacts, PhaseRates, Task, TaskStatus } from '../../core/tasks/task.ts';
import { Expression } from './expression.ts';
import {
  ALL_TASKS,
  batchKey,
  byCreated,
  imageTasksPartition,
  LIVE_TASKS,
  ownerTasksPartition,
  RATES_KEY,
  taskKey,
} from './keys.ts';
import { isConditionFailure, type Table } from './table.ts';

/**
 * Task and batch records. A task's facts are a map attribute, so that steps add their own keys with one update and never
 * read-modify-write; a live task is in gsi3 until it ends. Ended tasks carry `ttl` and are filtered when it has passed.
 */
export function createTaskRepository(table: Table, clock: Clock): TaskRepository {
  const isExpired = (task: Task): boolean => task.expiresAt !== null && Date.parse(task.expiresAt) <= clock.now();

  async function get(id: string): Promise<Task | undefined> {
    const { Item } = await table.client.send(
      new GetCommand({ TableName: table.name, Key: taskKey(id), ConsistentRead: true }),
    );
    const task = Item === undefined ? undefined : taskFrom(Item);
    return task === undefined || isExpired(task) ? undefined : task;
  }

  async function* pages(index: string, partition: string, forward: boolean): AsyncGenerator<Task[]> {
    let start: Record<string, unknown> | undefined;
    do {
      const page = await table.client.send(
        new QueryCommand({
          TableName: table.name,
          IndexName: index,
          KeyConditionExpression: '#pk = :pk',
          ExpressionAttributeNames: { '#pk': `${index}pk` },
          ExpressionAttributeValues: { ':pk': partition },
          ScanIndexForward: forward,
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        }),
      );
      yield (page.Items ?? []).map(taskFrom).filter((task) => !isExpired(task));
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
  }

  /** What this process has just made is in no index yet, perhaps; workers change it meanwhile, so it is read again. */
  async function withRecent(
    indexed: readonly Task[],
    belongs: (task: Task) => boolean,
    forward: boolean,
  ): Promise<Task[]> {
    const made = table.recent.tasks.values().filter(belongs);
    if (made.length === 0) return [...indexed];
    const known = await Promise.all(made.map(({ id }) => get(id)));
    const ids = new Set(made.map(({ id }) => id));
    const sign = forward ? 1 : -1;
    return [...indexed.filter(({ id }) => !ids.has(id)), ...known.filter((task) => task !== undefined)].sort(
      (a, b) => sign * (byCreated(a.createdAt, a.id) < byCreated(b.createdAt, b.id) ? -1 : 1),
    );
  }

  return {
    async create(task) {
      try {
        await table.client.send(
          new PutCommand({
            TableName: table.name,
            Item: itemOf(task),
            ConditionExpression: 'attribute_not_exists(pk)',
          }),
        );
      } catch (error) {
        if (isConditionFailure(error)) throw new Conflict(`Task ${task.id} exists already`, { cause: error });
        throw error;
      }
      table.recent.tasks.note(task.id, task);
    },

    get,

    async move(id, from, to) {
      const ended = !LIVE.includes(to.status);
      const ttl = to.expiresAt === undefined ? undefined : Math.ceil(Date.parse(to.expiresAt) / 1000);
      const update = setting({ ...to, updatedAt: iso(clock.now()), ttl }, ended ? ['gsi3pk', 'gsi3sk'] : []);
      const expected = from.map((status) => update.value(status)).join(', ');
      update.require(`${update.path('status')} IN (${expected})`);
      try {
        const { Attributes } = await table.client.send(
          new UpdateCommand({
            TableName: table.name,
            Key: taskKey(id),
            ...requestOf(update),
            ReturnValues: 'ALL_NEW',
          }),
        );
        return taskFrom(Attributes ?? {});
      } catch (error) {
        if (!isConditionFailure(error)) throw error;
        const task = await get(id);
        if (task === undefined) throw new NotFound(`Task ${id} does not exist`, { cause: error });
        throw new Conflict(`Task ${id} is ${task.status}, expected ${from.join(' or ')}`, { cause: error });
      }
    },

    async note(id, facts, message) {
      const byPath = Object.fromEntries(Object.entries(facts).map(([key, value]) => [`facts.${key}`, value]));
      await table.client.send(
        new UpdateCommand({
          TableName: table.name,
          Key: taskKey(id),
          ...requestOf(setting({ ...byPath, message, updatedAt: iso(clock.now()) })),
        }),
      );
    },

    async listByImage(imageId) {
      const all: Task[] = [];
      for await (const page of pages('gsi1', imageTasksPartition(imageId), false)) all.push(...page);
      return withRecent(all, (task) => task.imageId === imageId, false);
    },

    async listLive(limit) {
      const live: Task[] = [];
      for await (const page of pages('gsi3', LIVE_TASKS, true)) {
        live.push(...page);
        if (live.length >= limit) break;
      }
      return live.slice(0, limit);
    },

    async list({ owner, status, type, forward = false }) {
      const found: Task[] = [];
      const [index, partition] = owner === undefined ? ['gsi4', ALL_TASKS] : ['gsi2', ownerTasksPartition(owner)];
      for await (const page of pages(index, partition, forward)) found.push(...page);
      const all = await withRecent(found, (task) => owner === undefined || task.owner === owner, forward);
      return all.filter(
        (task) => (status === undefined || task.status === status) && (type === undefined || task.type === type),
      );
    },

    async putBatch(batch) {
      await table.client.send(
        new PutCommand({
          TableName: table.name,
          Item: { ...batchKey(batch.taskId, batch.phase, batch.batch), ...batch },
        }),
      );
    },

    async batch(taskId, phase, batch) {
      const { Item } = await table.client.send(
        new GetCommand({ TableName: table.name, Key: batchKey(taskId, phase, batch), ConsistentRead: true }),
      );
      return Item as BatchProgress | undefined;
    },

    async batches(taskId) {
      const found: BatchProgress[] = [];
      let start: Record<string, unknown> | undefined;
      do {
        const page = await table.client.send(
          new QueryCommand({
            TableName: table.name,
            KeyConditionExpression: 'pk = :pk AND begins_with(sk, :batch)',
            ExpressionAttributeValues: { ':pk': taskKey(taskId).pk, ':batch': 'BATCH#' },
            ConsistentRead: true,
            ...(start === undefined ? {} : { ExclusiveStartKey: start }),
          }),
        );
        found.push(...((page.Items ?? []) as unknown as BatchProgress[]));
        start = page.LastEvaluatedKey;
      } while (start !== undefined);
      return found;
    },

    async rates() {
      const { Item } = await table.client.send(new GetCommand({ TableName: table.name, Key: RATES_KEY }));
      return (Item?.['rates'] ?? {}) as PhaseRates;
    },

    async setRates(rates) {
      await table.client.send(new PutCommand({ TableName: table.name, Item: { ...RATES_KEY, rates } }));
    },

    async removeBatches(taskId) {
      const keys = (await this.batches(taskId)).map((b) => batchKey(b.taskId, b.phase, b.batch));
      for (let at = 0; at < keys.length; at += 25) {
        await table.client.send(
          new BatchWriteCommand({
            RequestItems: { [table.name]: keys.slice(at, at + 25).map((Key) => ({ DeleteRequest: { Key } })) },
          }),
        );
      }
    },
  };
}

/** Changes of a task that exists; a name with a dot is a path of two steps, what is undefined is left alone. */
function setting(values: Readonly<Record<string, unknown>>, removed: readonly string[] = []): Expression {
  const update = new Expression();
  update.require(`attribute_exists(${update.path('pk')})`);
  for (const [name, value] of Object.entries(values))
    if (value !== undefined) update.set(update.path(...name.split('.')), update.value(value));
  for (const name of removed) update.remove(update.path(name));
  return update;
}

const requestOf = ({ update, condition, placeholders }: Expression) => ({
  UpdateExpression: update,
  ConditionExpression: condition,
  ...placeholders,
});

const iso = (ms: number): string => new Date(ms).toISOString();

const LIVE: readonly TaskStatus[] = ['pending', 'processing'];

function itemOf(task: Task): Record<string, unknown> {
  const created = byCreated(task.createdAt, task.id);
  return {
    ...taskKey(task.id),
    ...(task.imageId === null ? {} : { gsi1pk: imageTasksPartition(task.imageId), gsi1sk: created }),
    gsi2pk: ownerTasksPartition(task.owner),
    gsi2sk: created,
    ...(LIVE.includes(task.status) ? { gsi3pk: LIVE_TASKS, gsi3sk: created } : {}),
    gsi4pk: ALL_TASKS,
    gsi4sk: created,
    ...task,
  };
}

const TASK_FIELDS = [
  'id',
  'type',
  'status',
  'imageId',
  'owner',
  'userId',
  'requestId',
  'input',
  'result',
  'message',
  'import',
  'facts',
  'createdAt',
  'updatedAt',
  'expiresAt',
] as const satisfies readonly (keyof Task)[];

function taskFrom(item: Record<string, unknown>): Task {
  const task: Record<string, unknown> = {};
  for (const field of TASK_FIELDS) if (item[field] !== undefined) task[field] = item[field];
  return { facts: {} as ImportFacts, ...task } as unknown as Task;
}
