import { AwsError, toAwsError } from '../wire/aws-error.ts';
import { isObject, type JsonObject, stringAt } from '../wire/json.ts';

/** Dynalite throws errors that carry `statusCode` and `body`; this makes one of ours of it. */
export function awsErrorOf(error: unknown): AwsError {
  if (!(error instanceof Error && 'statusCode' in error && 'body' in error && isObject(error.body))) {
    return toAwsError(error);
  }
  const type = stringAt(error.body, '__type') ?? 'InternalServerError';
  const message = stringAt(error.body, 'message') ?? stringAt(error.body, 'Message') ?? error.message;
  return new AwsError(type.slice(type.indexOf('#') + 1), message, Number(error.statusCode));
}

/** Runs what dynalite does. Throws AwsError. */
export async function awsErrors<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw awsErrorOf(error);
  }
}

/** The code that a cancellation reason uses for an error, for example `ConditionalCheckFailed`. */
export function codeOf(errorCode: string): string {
  return errorCode === 'ValidationException' ? 'ValidationError' : errorCode.replace(/Exception$/, '');
}

/** The same error with the item on which a condition failed, as `ReturnValuesOnConditionCheckFailure` asks for it. */
export const withItem = (error: AwsError, item: JsonObject): AwsError =>
  new AwsError(error.code, error.message, error.status, { Item: item }, { cause: error });
