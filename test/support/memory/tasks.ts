import type { Clock } from '../../../core/clock.ts';
import { Conflict, NotFound } from '../../../core/errors.ts';
import { defined } from '../../../core/images/applied.ts';
import { BATCH_KEPT_S, type TaskRepository } from '../../../core/tasks/repository.ts';
import type { BatchProgress, PhaseRates, Task } from '../../../core/tasks/task.ts';
import { byText, Records } from './records.ts';

export function memoryTasks(clock: Clock): TaskRepository {
  const tasks = new Records<Task>();
  const batches = new Records<{ readonly batch: BatchProgress; readonly expiresAtMs: number }>();
  let rates: PhaseRates = {};
  const now = () => new Date(clock.now()).toISOString();
  const isAlive = ({ expiresAt }: Task) => expiresAt === null || Date.parse(expiresAt) > clock.now();
  const alive = (id: string) => {
    const task = tasks.get(id);
    return task === undefined || !isAlive(task) ? undefined : task;
  };
  const oldestFirst = () =>
    tasks
      .values()
      .filter(isAlive)
      .toSorted((a, b) => byText(a.createdAt, b.createdAt) || byText(a.id, b.id));
  const batchesOf = (taskId: string) =>
    batches
      .entries()
      .filter(([, { batch, expiresAtMs }]) => batch.taskId === taskId && expiresAtMs > clock.now())
      .map(([key, { batch }]) => [key, batch] as const);

  return {
    async create(task) {
      if (tasks.has(task.id)) throw new Conflict(`Task ${task.id} exists already`);
      tasks.set(task.id, task);
    },

    get: async (id) => alive(id),

    async move(id, from, to) {
      const task = tasks.get(id);
      if (task === undefined) throw new NotFound(`Task ${id} does not exist`);
      if (!from.includes(task.status)) {
        if (!isAlive(task)) throw new NotFound(`Task ${id} does not exist`);
        throw new Conflict(`Task ${id} is ${task.status}, expected ${from.join(' or ')}`);
      }
      const moved: Task = { ...task, ...defined(to), updatedAt: now() };
      tasks.set(id, moved);
      return moved;
    },

    async note(id, facts, message) {
      const task = tasks.get(id);
      if (task === undefined) throw new NotFound(`Task ${id} does not exist`);
      const words = message === undefined ? {} : { message };
      tasks.set(id, { ...task, ...words, facts: { ...task.facts, ...defined(facts) }, updatedAt: now() });
    },

    listByImage: async (imageId) =>
      oldestFirst()
        .toReversed()
        .filter((task) => task.imageId === imageId),

    listLive: async (limit) =>
      oldestFirst()
        .filter(({ status }) => status === 'pending' || status === 'processing')
        .slice(0, limit),

    async list({ owner, status, type, forward = false }) {
      const found = oldestFirst().filter(
        (task) =>
          (owner === undefined || task.owner === owner) &&
          (status === undefined || task.status === status) &&
          (type === undefined || task.type === type),
      );
      return forward ? found : found.toReversed();
    },

    putBatch: async (batch) =>
      batches.set(batchKey(batch.taskId, batch.phase, batch.batch), {
        batch,
        expiresAtMs: clock.now() + BATCH_KEPT_S * 1000,
      }),
    batch: async (taskId, phase, batch) => batches.get(batchKey(taskId, phase, batch))?.batch,
    batches: async (taskId) => batchesOf(taskId).map(([, batch]) => batch),
    async removeBatches(taskId) {
      for (const [key] of batchesOf(taskId)) batches.delete(key);
    },

    rates: async () => structuredClone(rates),
    async setRates(next) {
      rates = structuredClone(next);
    },
  };
}

const batchKey = (taskId: string, phase: string, batch: number): string => `${taskId} ${phase} ${batch}`;
