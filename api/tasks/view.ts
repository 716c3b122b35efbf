/** Tasks on the wire, in the two forms that the API has (contract: import.md section 9). */
import type { TaskProgress } from '../../core/tasks/progress.ts';
import type { WatchedTask } from '../../core/tasks/queries.ts';
import type { Task } from '../../core/tasks/task.ts';
import { microTime, wireTime } from '../timestamps.ts';
import type { ImageTask, TaskAnswer, TaskProgressAnswer, TaskStub } from './answers.ts';

/** A row of GET /v2/tasks. */
export function taskStub(task: Task): TaskStub {
  return {
    id: task.id,
    type: task.type,
    status: task.status,
    owner: task.owner,
    ...(task.expiresAt !== null && { expires_at: wireTime(task.expiresAt) }),
    created_at: wireTime(task.createdAt),
    updated_at: wireTime(task.updatedAt),
    self: `/v2/tasks/${task.id}`,
    schema: '/v2/schemas/task',
  };
}

/** GET /v2/tasks/{id}. */
export function taskView(task: Task): TaskAnswer {
  return {
    ...taskStub(task),
    input: task.input,
    result: task.result,
    message: task.message,
    ...(task.imageId !== null && { image_id: task.imageId }),
    ...(task.requestId !== null && { request_id: task.requestId }),
    ...(task.userId !== null && { user_id: task.userId }),
  };
}

/** A row of GET /v2/images/{id}/tasks: other times, other keys; `progress` is ours, while the task is at work. */
export function imageTaskView({ task, progress }: WatchedTask): ImageTask {
  return {
    id: task.id,
    type: task.type,
    status: task.status,
    owner: task.owner,
    expires_at: task.expiresAt === null ? null : microTime(task.expiresAt),
    created_at: microTime(task.createdAt),
    updated_at: microTime(task.updatedAt),
    deleted_at: null,
    deleted: false,
    image_id: task.imageId,
    request_id: task.requestId,
    user_id: task.userId,
    input: task.input,
    result: task.result,
    message: task.message,
    ...(progress !== undefined && { progress: progressView(progress) }),
  };
}

export function progressView({ phase, percent, bytesDone, bytesTotal, etaSeconds }: TaskProgress): TaskProgressAnswer {
  return {
    phase,
    percent,
    bytes_done: bytesDone,
    bytes_total: bytesTotal,
    ...(etaSeconds !== undefined && { eta_seconds: etaSeconds }),
  };
}
