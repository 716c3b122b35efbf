import { serviceError } from '../../bytes/imports/step.ts';
import { type ImageServiceError, Throttled } from '../../core/errors.ts';

/** What AWS says to who asks too much (API references of DynamoDB, S3, Step Functions and KMS, "Errors"). */
const THROTTLING: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'TransactionInProgressException',
  'SlowDown',
  'Throttling',
]);

/**
 * The failure of a step under the name that the workflow knows. A call that was throttled until its client gave up is no fault of the
 * image or the store: the step waits for room, as one that found no function does.
 */
export function stepFailure(error: unknown): ImageServiceError {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (THROTTLING.has(cause.name)) return new Throttled(cause.message, { cause: error });
  }
  return serviceError(error);
}
