/** A task whose execution bears its id. */
export interface Startable {
  readonly id: string;
  readonly imageId: string | null;
}

export interface WorkflowPort {
  /** Starts the import workflow under the task's id; a second call with the same id changes nothing. */
  startImport(task: Startable): Promise<void>;
  /** Stops the execution of a task if it runs. */
  stop(taskId: string, cause: string): Promise<void>;
  /** `RUNNING`, an end state, or undefined when it was never started. */
  statusOf(taskId: string): Promise<'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED' | undefined>;
  /**
   * Since when the oldest call that the execution waits for is under way. Undefined when there is none: what was lost, or found no room,
   * is to be called again. Batches of rendering are no calls of the execution's own. Milliseconds.
   */
  busySince(taskId: string): Promise<number | undefined>;
}

/** Of a verb that starts or stops imports. */
export interface WithWorkflows {
  readonly workflows: WorkflowPort;
}
