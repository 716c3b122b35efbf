import {
  BackendUnavailable,
  FetchFailed,
  ImageRefused,
  type ImageServiceError,
  LimitExceeded,
  StoreFailed,
  TaskAborted,
} from '../errors.ts';
import type { BatchProgress } from '../tasks/task.ts';

const KINDS = { FetchFailed, ImageRefused, LimitExceeded, StoreFailed, TaskAborted } as const;

/** What a batch or a container recorded as its failure, under its own kind again. Any other kind is the platform's. */
export function recordedFailure({ kind, message }: NonNullable<BatchProgress['error']>): ImageServiceError {
  return new (Object.hasOwn(KINDS, kind) ? KINDS[kind as keyof typeof KINDS] : BackendUnavailable)(message);
}
