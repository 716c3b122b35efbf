import { type JsonObject, stringAt } from './json.ts';

/**
 * An answer of AWS that is an error: `code` is the error's shape name without its namespace, `status` the HTTP status,
 * `details` are further members of the error's body (for example `Item` or `CancellationReasons`).
 */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  readonly details: JsonObject;

  constructor(code: string, message: string, status = 400, details: JsonObject = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = code;
    this.code = code;
    this.status = status;
    this.details = details;
  }
}

/** The string member `key` of a request. Throws `ValidationException` when it is absent. */
export function required(input: JsonObject, key: string): string {
  const value = stringAt(input, key);
  if (value === undefined || value === '') throw new AwsError('ValidationException', `${key} is required`);
  return value;
}

/** Turns anything thrown into an AWS error; what is not one becomes a 500 that keeps its cause out of the answer. */
export function toAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  process.stderr.write(`embedded AWS: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return new AwsError('InternalServerError', 'internal error of the embedded AWS', 500);
}
