/** Batch records are written at most this often; the image's roll-up and the task's duty follow the same beat. */
export const BEAT_MS = 1_000;

/** The last beat of a process: batches that end close together need one roll-up, not one each. */
export interface Pulse {
  /** True, and the beat is taken, unless the process has just had one for this task. */
  isDue(taskId: string, nowMs: number): boolean;
}

/** Of a verb that reports. The process owns it and hands it to every step that it runs. */
export interface WithPulse {
  readonly pulse: Pulse;
}

export function createPulse(): Pulse {
  let last = { taskId: '', atMs: 0 };
  return {
    isDue(taskId, nowMs) {
      if (last.taskId === taskId && nowMs - last.atMs < BEAT_MS / 2 && nowMs >= last.atMs) return false;
      last = { taskId, atMs: nowMs };
      return true;
    },
  };
}
