/**
 * Everything that can go wrong in the service, one class per kind. `kind` is the one vocabulary for HTTP (api/errors.ts maps it
 * to a status), for workflows (it is the error name that Retry and Catch match), for logs and for metrics.
 */
export abstract class ImageServiceError extends Error {
  abstract readonly kind: string;
  /** True when doing the same again may succeed. */
  readonly retryable: boolean = false;
  override get name(): string {
    return this.kind;
  }
}

/** The request is malformed or a value is not allowed; the message names field and value. */
export class InvalidInput extends ImageServiceError {
  readonly kind = 'InvalidInput';
}
/** No token, or one that is unknown, expired or revoked; or wrong credentials. */
export class Unauthenticated extends ImageServiceError {
  readonly kind = 'Unauthenticated';
}
/** The caller may see the resource and may not do this to it. */
export class Forbidden extends ImageServiceError {
  readonly kind = 'Forbidden';
}
/** There is no such resource, or the caller may not know that there is. */
export class NotFound extends ImageServiceError {
  readonly kind = 'NotFound';
}
/** The path exists and the method does not; `allow` lists the ones that do. */
export class MethodNotAllowed extends ImageServiceError {
  readonly kind = 'MethodNotAllowed';
  readonly allow: readonly string[];
  constructor(message: string, allow: readonly string[]) {
    super(message);
    this.allow = allow;
  }
}
/** The resource exists in a state, or with a name, that forbids this. */
export class Conflict extends ImageServiceError {
  readonly kind = 'Conflict';
}
/** The record changed between read and write; the caller of the repository reads again and retries. */
export class StaleRevision extends ImageServiceError {
  readonly kind = 'StaleRevision';
  override readonly retryable = true;
}
/** The image or the data was removed while it was being worked on. */
export class Gone extends ImageServiceError {
  readonly kind = 'Gone';
}
/** A quota, size cap or body limit would be passed; the message names limit, usage and request. */
export class LimitExceeded extends ImageServiceError {
  readonly kind = 'LimitExceeded';
}
/** Wrong Content-Type, or bytes that are not what disk_format says, or that fail a safety check. */
export class UnsupportedMedia extends ImageServiceError {
  readonly kind = 'UnsupportedMedia';
  /** Response header Accept-Patch, when the media type of a PATCH is at fault. */
  readonly acceptPatch?: string;
  constructor(message: string, options?: ErrorOptions & { acceptPatch?: string }) {
    super(message, options);
    if (options?.acceptPatch !== undefined) this.acceptPatch = options.acceptPatch;
  }
}
/** A byte range outside the image. */
export class RangeNotSatisfiable extends ImageServiceError {
  readonly kind = 'RangeNotSatisfiable';
}
/** Too many attempts; `retryAfterSeconds` says when to come back. */
export class TooManyRequests extends ImageServiceError {
  readonly kind = 'TooManyRequests';
  readonly retryAfterSeconds: number;
  constructor(message: string, retryAfterSeconds: number) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
/** What the service has of memory or workers is taken; `retryAfterSeconds` says when to come back. */
export class Busy extends ImageServiceError {
  readonly kind = 'Busy';
  override readonly retryable = true;
  readonly retryAfterSeconds: number;
  constructor(message: string, retryAfterSeconds: number) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
/** A client sends so slowly that it keeps others out. */
export class TooSlow extends ImageServiceError {
  readonly kind = 'TooSlow';
}
/** A header is larger than the service takes. */
export class HeaderTooLarge extends ImageServiceError {
  readonly kind = 'HeaderTooLarge';
}
/** A store or another backend is unreachable or refuses to read or write. */
export class BackendUnavailable extends ImageServiceError {
  readonly kind = 'BackendUnavailable';
  override readonly retryable = true;
}
/** A backend takes no more requests for now: it is asked again for as long as the work may wait. */
export class Throttled extends ImageServiceError {
  readonly kind = 'Throttled';
  override readonly retryable = true;
}
/** This service is deployed without what the operation needs; the message says what to use instead. */
export class NotDeployed extends ImageServiceError {
  readonly kind = 'NotDeployed';
}
/** The operation is known and not built or not enabled. */
export class NotImplemented extends ImageServiceError {
  readonly kind = 'NotImplemented';
}

// ---- what ends an import (task messages; error names of workflow steps)

/** The image does not name this task any more: deleted, or preempted. The worker must touch nothing. */
export class TaskAborted extends ImageServiceError {
  readonly kind = 'TaskAborted';
}
/** The source cannot be fetched: unreachable, refused by the URI filter, wrong status, wrong length. */
export class FetchFailed extends ImageServiceError {
  readonly kind = 'FetchFailed';
}
/** The content is not an image that may be stored: unknown, unsafe, mismatching, damaged. */
export class ImageRefused extends ImageServiceError {
  readonly kind = 'ImageRefused';
}
/** One store could not be written. */
export class StoreFailed extends ImageServiceError {
  readonly kind = 'StoreFailed';
}
/** No requested store holds the image at the end. */
export class NothingStored extends ImageServiceError {
  readonly kind = 'NothingStored';
}
/** The work will not end within the time of a function: the step wants to run as a container. */
export class StepTooLong extends ImageServiceError {
  readonly kind = 'StepTooLong';
}

type Kinds =
  | InvalidInput
  | Unauthenticated
  | Forbidden
  | NotFound
  | MethodNotAllowed
  | Conflict
  | StaleRevision
  | Gone
  | LimitExceeded
  | UnsupportedMedia
  | RangeNotSatisfiable
  | TooManyRequests
  | Busy
  | TooSlow
  | HeaderTooLarge
  | BackendUnavailable
  | Throttled
  | NotDeployed
  | NotImplemented
  | TaskAborted
  | FetchFailed
  | ImageRefused
  | StoreFailed
  | NothingStored
  | StepTooLong;

/** Every kind there is; `api/errors.ts` must map each one. */
export type ErrorKind = Kinds['kind'];
