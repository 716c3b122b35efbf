import type { BatchProgress, ImportFacts, PhaseRates, Task, TaskStatus, TaskType } from './task.ts';

/** Seconds that the record of a batch is kept: longer than an import may take. */
export const BATCH_KEPT_S = 2 * 86_400;

export interface TaskRepository {
  /** @throws Conflict when the id exists. */
  create(task: Task): Promise<void>;
  /** Undefined also from `expiresAt` on. */
  get(id: string): Promise<Task | undefined>;
  /**
   * Moves status, message, result and times; `from` names the statuses expected.
   * @throws Conflict when the status is another one, NotFound when there is no task.
   */
  move(
    id: string,
    from: readonly TaskStatus[],
    to: { status: TaskStatus; message?: string; result?: Task['result']; expiresAt?: string; cancelledAt?: string },
  ): Promise<Task>;
  /** Adds facts (by key, last write wins) and sets the message; both optional. @throws NotFound when there is no task. */
  note(id: string, facts: Partial<ImportFacts>, message?: string): Promise<void>;
  /** Unexpired tasks of an image, newest first. */
  listByImage(imageId: string): Promise<Task[]>;
  /** Tasks not ended yet, oldest first, at most `limit`; from an index, so that one made a moment ago may be missing. */
  listLive(limit: number): Promise<Task[]>;
  /** Unexpired tasks, newest first unless `forward`; of one project, or all of them. */
  list(filter: { owner?: string; status?: TaskStatus; type?: TaskType; forward?: boolean }): Promise<Task[]>;
  /** Writes the record of one batch of one phase whole. It goes by itself `BATCH_KEPT_S` later: a worker may report when all is over. */
  putBatch(batch: BatchProgress): Promise<void>;
  /** One batch's record, strongly consistent; undefined for a batch that has not reported. */
  batch(taskId: string, phase: string, batch: number): Promise<BatchProgress | undefined>;
  /** Of all phases, in no order; strongly consistent, so that Gather misses nobody. */
  batches(taskId: string): Promise<BatchProgress[]>;
  removeBatches(taskId: string): Promise<void>;
  /** Pace of each phase as ended imports showed it; empty before the first. */
  rates(): Promise<PhaseRates>;
  setRates(rates: PhaseRates): Promise<void>;
}

/** Of a verb on tasks. */
export interface WithTasks {
  readonly tasks: TaskRepository;
}
