import type { Image } from '../../core/images/image.ts';
import { retryableUntilMs } from '../../core/imports/kept.ts';
import type { WatchedImport } from '../../core/imports/queries.ts';
import { progressView } from '../tasks/view.ts';
import { wireTime } from '../timestamps.ts';
import type { ImportAnswer, LeftOverAnswer } from './answers.ts';

export function importView({ task, progress }: WatchedImport): ImportAnswer {
  const untilMs = retryableUntilMs(task);
  return {
    id: task.id,
    image_id: task.imageId,
    method: task.import.method.name,
    stores: task.import.stores,
    status: task.status,
    message: task.message,
    owner: task.owner,
    user_id: task.userId,
    request_id: task.requestId,
    created_at: wireTime(task.createdAt),
    updated_at: wireTime(task.updatedAt),
    expires_at: task.expiresAt === null ? null : wireTime(task.expiresAt),
    ...(task.status === 'failure' && task.cancelledAt !== undefined && { cancelled_at: wireTime(task.cancelledAt) }),
    ...(untilMs !== undefined && { retry_until: wireTime(new Date(untilMs).toISOString()) }),
    ...(progress !== undefined && { progress: progressView(progress) }),
    self: `/glimpse/v1/imports/${task.id}`,
  };
}

export function leftOverView({
  id,
  name,
  owner,
  visibility,
  createdAt,
  updatedAt,
}: Image): LeftOverAnswer['images'][number] {
  return { id, name, owner, visibility, created_at: wireTime(createdAt), updated_at: wireTime(updatedAt) };
}
