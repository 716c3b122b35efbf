/** Tasks on the wire, in the two forms that the API has (contract: import.md section 9). */
import { z } from 'zod';
import { TASK_STATUSES, TASK_TYPES } from '../../core/tasks/task.ts';
import { PAGE_LINKS } from '../images/answers.ts';

const text = z.string();
const nullableText = text.nullable();
const json = z.record(text, z.unknown()).readonly();
const type = z.enum(TASK_TYPES);
const status = z.enum(TASK_STATUSES);

/** A row of GET /v2/tasks. */
export const TaskStub = z.object({
  id: text,
  type,
  status,
  owner: text,
  expires_at: text.exactOptional(),
  created_at: text,
  updated_at: text,
  self: text,
  schema: text,
});
export type TaskStub = z.infer<typeof TaskStub>;

export const TaskAnswer = TaskStub.extend({
  input: json,
  result: json.nullable(),
  message: text,
  image_id: text.exactOptional(),
  request_id: text.exactOptional(),
  user_id: text.exactOptional(),
});
export type TaskAnswer = z.infer<typeof TaskAnswer>;

export const TasksAnswer = z.object({ tasks: z.array(TaskStub).readonly(), ...PAGE_LINKS });
export const TaskHeaders = z.object({ location: text });

/** How far a task is. Bytes, seconds. */
export const TaskProgressAnswer = z.object({
  phase: text,
  percent: z.number(),
  bytes_done: z.number(),
  bytes_total: z.number(),
  eta_seconds: z.number().exactOptional(),
});
export type TaskProgressAnswer = z.infer<typeof TaskProgressAnswer>;

/** A row of GET /v2/images/{id}/tasks. */
export const ImageTask = z.object({
  id: text,
  type,
  status,
  owner: text,
  expires_at: nullableText,
  created_at: text,
  updated_at: text,
  deleted_at: z.null(),
  deleted: z.literal(false),
  image_id: nullableText,
  request_id: nullableText,
  user_id: nullableText,
  input: json,
  result: json.nullable(),
  message: text,
  /** Ours, while the task is at work; bytes, seconds. */
  progress: TaskProgressAnswer.exactOptional(),
});
export type ImageTask = z.infer<typeof ImageTask>;

export const ImageTasksAnswer = z.object({ tasks: z.array(ImageTask).readonly() });
