/** Reading tasks (contract: import.md section 9). */

import type { WithClock } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import { InvalidInput, NotFound } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { enforceFor, readableImage } from '../images/access.ts';
import type { Image } from '../images/image.ts';
import type { WithImages } from '../images/repository.ts';
import type { WithMembers } from '../members/repository.ts';
import type { WithPolicy } from '../policy/port.ts';
import { progressOf, type TaskProgress } from './progress.ts';
import type { WithTasks } from './repository.ts';
import type { Task, TaskStatus } from './task.ts';

type TaskDeps = WithConfig & WithClock & WithImages & WithMembers & WithPolicy & WithTasks;

export const TASK_SORT_KEYS = [
  'id',
  'type',
  'status',
  'owner',
  'imageId',
  'requestId',
  'userId',
  'expiresAt',
  'createdAt',
  'updatedAt',
] as const satisfies readonly (keyof Task)[];
export type TaskSortKey = (typeof TASK_SORT_KEYS)[number];

export interface TaskListRequest {
  readonly status?: TaskStatus;
  /** The only type that can be asked for is `import`. */
  readonly type?: 'import';
  readonly sortKey: TaskSortKey;
  readonly direction: 'asc' | 'desc';
  readonly limit: number;
  readonly markerId?: string;
}

/** Whether the caller may use the tasks API at all. @throws Forbidden */
export function enforceTasksApi(deps: WithPolicy, caller: Caller): Promise<void> {
  return enforceFor(deps, 'tasks_api_access', {}, caller);
}

/** A task and, while it is at work, how far it is: the sum of its batches at this moment. */
export interface WatchedTask {
  readonly task: Task;
  readonly progress?: TaskProgress;
}

/** Tasks of an image, of the caller's project (admin: of all). @throws NotFound */
export async function imageTasks(deps: TaskDeps, caller: Caller, id: string): Promise<WatchedTask[]> {
  const { image } = await readableImage(deps, caller, id);
  const tasks = await deps.tasks.listByImage(id);
  const own = tasks.filter((task) => caller.isAdmin || task.owner === caller.projectId);
  return Promise.all(own.map((task) => watched(deps, task, image)));
}

async function watched(deps: TaskDeps, task: Task, { lock, progress }: Image): Promise<WatchedTask> {
  if (task.status !== 'processing' || task.facts.work === undefined) return { task };
  const isTold = lock === task.id && progress?.etaSeconds !== undefined;
  return { task, progress: progressOf(task.facts, await deps.tasks.batches(task.id), deps.clock.now(), isTold) };
}

/** @throws NotFound for tasks of other projects, too */
export async function showTask(deps: TaskDeps, caller: Caller, id: string): Promise<Task> {
  const task = await deps.tasks.get(id);
  if (task === undefined || !(caller.isAdmin || task.owner === caller.projectId))
    throw new NotFound(`No task found with ID ${id}`);
  return task;
}

/** A page of tasks; `next` is the id after which the next one starts. @throws InvalidInput for an unknown marker */
export async function listTasks(
  deps: TaskDeps,
  caller: Caller,
  request: TaskListRequest,
): Promise<{ readonly tasks: readonly Task[]; readonly next?: string }> {
  const { status, type, sortKey, direction, limit, markerId } = request;
  const owner = caller.isAdmin ? undefined : (caller.projectId ?? '');
  const all = await deps.tasks.list({
    ...(owner !== undefined && { owner }),
    ...(status !== undefined && { status }),
    ...(type !== undefined && { type }),
  });
  const order = direction === 'asc' ? 1 : -1;
  const sorted = [...all].sort((a, b) => order * (compare(a[sortKey], b[sortKey]) || compare(a.id, b.id)));
  const from = markerId === undefined ? 0 : sorted.findIndex((task) => task.id === markerId) + 1;
  if (markerId !== undefined && from === 0) throw new InvalidInput(`Marker ${markerId} does not name a task`);
  const tasks = sorted.slice(from, from + limit);
  const last = tasks.at(-1);
  return { tasks, ...(tasks.length === limit && last !== undefined && { next: last.id }) };
}

/** Null stands before every value. */
function compare(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null) return -1;
  return b === null || a > b ? 1 : -1;
}
