import type { BatchProgress, ImportFacts, PhaseRates, Task, TaskStatus, TaskType } from './task.ts';

export interface TaskRepository {
  /** @throws Conflict when the id exists. */
  create(task: Task): Promise<void>;
  get(id: string): Promise<Task | undefined>;
  /**
   * Moves status, message and result; `from` names the statuses expected.
   * @throws Conflict when the status is another one, NotFound when there is no task.
   */
  move(
    id: string,
    from: readonly TaskStatus[],
    to: { status: TaskStatus; message?: string; result?: Task['result']; expiresAt?: string },
  ): Promise<Task>;
  /** Adds facts (by key, last write wins) and sets the message; both optional. */
  note(id: string, facts: Partial<ImportFacts>, message?: string): Promise<void>;
  listByImage(imageId: string): Promise<Task[]>;
  /** Tasks not ended yet, oldest first, for the janitor. */
  listLive(limit: number): Promise<Task[]>;
  /** Unexpired tasks, newest first unless `forward`; of one project, or all of them. */
  list(filter: { owner?: string; status?: TaskStatus; type?: TaskType; forward?: boolean }): Promise<Task[]>;
  putBatch(batch: BatchProgress): Promise<void>;
  /** Strongly consistent, so that Gather misses nobody. */
  /** One batch's record, read consistently; undefined for a batch that has not reported. */
  batch(taskId: string, phase: string, batch: number): Promise<BatchProgress | undefined>;
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
