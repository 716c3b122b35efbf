import { GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../core/clock.ts';
import { Conflict, NotFound } from '../../core/errors.ts';
import type { TaskRepository } from '../../core/tasks/repository.ts';
import type { Task } from '../../core/tasks/task.ts';
import { Expression } from './expression.ts';
import { ALL_TASKS, byCreated, imageTasksPartition, LIVE_TASKS, ownerTasksPartition, taskKey } from './keys.ts';
import { isConditionFailure, type Table } from './table.ts';
import { createBatchRecords } from './task-batches.ts';
import { itemOf, LIVE, taskFrom } from './task-item.ts';

/**
 * Task records. A task's facts are a map attribute, so that steps add their own keys with one update and never
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
        if (task === undefined) throw noSuchTask(id, error);
        throw new Conflict(`Task ${id} is ${task.status}, expected ${from.join(' or ')}`, { cause: error });
      }
    },

    async note(id, facts, message) {
      const byPath = Object.fromEntries(Object.entries(facts).map(([key, value]) => [`facts.${key}`, value]));
      try {
        await table.client.send(
          new UpdateCommand({
            TableName: table.name,
            Key: taskKey(id),
            ...requestOf(setting({ ...byPath, message, updatedAt: iso(clock.now()) })),
          }),
        );
      } catch (error) {
        if (isConditionFailure(error)) throw noSuchTask(id, error);
        throw error;
      }
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

    ...createBatchRecords(table, clock),
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

const noSuchTask = (id: string, cause: unknown) => new NotFound(`Task ${id} does not exist`, { cause });

const iso = (ms: number): string => new Date(ms).toISOString();
