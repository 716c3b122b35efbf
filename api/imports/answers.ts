/** Imports on the wire, under `/glimpse/v1`: sizes in bytes, times in ISO 8601. */
import { z } from 'zod';
import { VISIBILITIES } from '../../core/images/image.ts';
import { TASK_STATUSES } from '../../core/tasks/task.ts';
import { TaskProgressAnswer } from '../tasks/answers.ts';

const text = z.string();

export const ImportAnswer = z.object({
  id: text,
  image_id: text,
  /** `location`: the bytes of an image that was given a location are hashed; `drop`: a file was dropped into the bucket. */
  method: z.enum(['glance-direct', 'web-download', 'glance-download', 'copy-image', 'location', 'drop']),
  stores: z.array(text).readonly(),
  status: z.enum(TASK_STATUSES),
  message: text,
  owner: text,
  user_id: text.nullable(),
  request_id: text.nullable(),
  created_at: text,
  updated_at: text,
  expires_at: text.nullable(),
  /** When it was cancelled, and until when it may be tried again. */
  cancelled_at: text.exactOptional(),
  retry_until: text.exactOptional(),
  /** While it is at work; of an import that is cancelled, how far it was. */
  progress: TaskProgressAnswer.exactOptional(),
  self: text,
});
export type ImportAnswer = z.infer<typeof ImportAnswer>;

/** Images that stay queued, with no bytes on their way. */
export const LeftOverAnswer = z.object({
  images: z
    .array(
      z.object({
        id: text,
        name: text.nullable(),
        owner: text.nullable(),
        visibility: z.enum(VISIBILITIES),
        created_at: text,
        updated_at: text,
      }),
    )
    .readonly(),
  first: text,
  next: text.exactOptional(),
});
export type LeftOverAnswer = z.infer<typeof LeftOverAnswer>;

export const ImportsAnswer = z.object({ imports: z.array(ImportAnswer).readonly() });
