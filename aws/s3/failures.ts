import { S3ServiceException } from '@aws-sdk/client-s3';
import { abortReason } from '../../bytes/abort-reason.ts';
import { BackendUnavailable, ImageServiceError, NotFound, Throttled } from '../../core/errors.ts';
import { FormatError, SourceChanged, Truncated } from '../../formats/engine/errors.ts';
import { isThrottling } from '../throttling.ts';
import type { Bucket } from './bucket.ts';

/**
 * What a failed S3 call means to the service. A missing object or bucket is NotFound, a changed one SourceChanged, a range
 * past its end Truncated, a refusal for now Throttled; all else is BackendUnavailable. Errors that are already ours, and aborts by
 * `signal`, pass unchanged.
 */
export function translate(error: unknown, at: Pick<Bucket, 'id'>, key: string, signal?: AbortSignal): Error {
  if (error instanceof ImageServiceError || error instanceof FormatError) return error;
  if (signal?.aborted === true) return abortReason(signal);
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  // Clients read these messages; which object it was is for the log.
  const subject = `${at.id}: ${key}`;
  if (status === 404) return new NotFound(`${subject}: there is no such object`, { cause: error });
  if (status === 412) return new SourceChanged(`${subject}: the object is not the one that was opened`);
  if (status === 416) return new Truncated(`${subject}: the object is shorter than expected`);
  const cause = new Error(subject, { cause: error });
  if (isThrottling(error)) return new Throttled(`Store ${at.id} takes no more requests for now`, { cause });
  return new BackendUnavailable(`Store ${at.id} is not available`, { cause });
}
