import { isObject, stringAt } from '../wire/json.ts';

/** The error of a function as Lambda names it. */
export interface FunctionError {
  errorType: string;
  errorMessage: string;
}

/** Largest response of a function, in bytes: a larger one is an error of the function. */
export const RESPONSE_LIMIT = 6 * 1024 * 1024;

/** The error that whoever ran a function tells of. */
export function errorIn(value: unknown): FunctionError {
  const error = isObject(value) ? value : {};
  return {
    errorType: stringAt(error, 'errorType') ?? 'Error',
    errorMessage: stringAt(error, 'errorMessage') ?? '',
  };
}

/** Of an answer above RESPONSE_LIMIT. */
export const responseTooLarge = (): FunctionError => ({
  errorType: 'Function.ResponseSizeTooLarge',
  errorMessage: `Response payload size exceeded maximum allowed payload size (${RESPONSE_LIMIT} bytes).`,
});

/** Of a function that took longer than its `seconds`. */
export const timedOut = (awsRequestId: string, seconds: number): FunctionError => ({
  errorType: 'Sandbox.Timedout',
  errorMessage: `RequestId: ${awsRequestId} Error: Task timed out after ${seconds.toFixed(2)} seconds`,
});
