/** Reading imports: of the caller's project, whoever may use the tasks API. */
import type { WithClock } from '../clock.ts';
import type { Caller } from '../identity/caller.ts';
import { enforceFor } from '../images/access.ts';
import type { WithPolicy } from '../policy/port.ts';
import { progressOf, type TaskProgress } from '../tasks/progress.ts';
import type { WithTasks } from '../tasks/repository.ts';
import type { Task, TaskStatus } from '../tasks/task.ts';
import type { ImportTask } from './report/import-task.ts';
import { noSuchImport } from './seen-import.ts';

/** An import and, while it is at work, how far it is. */
export interface WatchedImport {
  readonly task: ImportTask;
  readonly progress?: TaskProgress;
}

export interface ImportListRequest {
  readonly status?: TaskStatus;
  readonly imageId?: string;
  readonly limit: number;
}

type QueryDeps = WithClock & WithTasks & WithPolicy;

/** The newest first. @throws Forbidden */
export async function listImports(
  deps: QueryDeps,
  caller: Caller,
  { status, imageId, limit }: ImportListRequest,
): Promise<WatchedImport[]> {
  await enforceFor(deps, 'glimpse:get_imports', { project_id: caller.projectId }, caller);
  const mine = caller.isAdmin ? {} : { owner: caller.projectId ?? '' };
  const tasks = await deps.tasks.list({ ...mine, ...(status === undefined ? {} : { status }) });
  const found = tasks.filter(isImport).filter((task) => imageId === undefined || task.imageId === imageId);
  return Promise.all(found.slice(0, limit).map((task) => watchedImport(deps, task)));
}

/** @throws NotFound for those of other projects, too; Forbidden */
export async function showImport(deps: QueryDeps, caller: Caller, id: string): Promise<WatchedImport> {
  const task = await deps.tasks.get(id);
  if (task === undefined || !isImport(task) || !(caller.isAdmin || task.owner === caller.projectId))
    throw noSuchImport(id);
  await enforceFor(deps, 'glimpse:get_imports', { project_id: task.owner }, caller);
  return watchedImport(deps, task);
}

const isImport = (task: Task): task is ImportTask => task.import !== undefined && task.imageId !== null;

export async function watchedImport(deps: WithClock & WithTasks, task: ImportTask): Promise<WatchedImport> {
  if (task.status !== 'processing' || task.facts.work === undefined) return { task };
  return { task, progress: progressOf(task.facts, await deps.tasks.batches(task.id), deps.clock.now()) };
}
