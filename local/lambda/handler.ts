import type { Json } from '../wire/json.ts';
import type { FunctionError } from './function-error.ts';
import type { Callback, CallbackAnswer } from './functions.ts';

/** The context object of a function; a part of what Lambda's Node runtime passes. */
export interface FunctionContext {
  awsRequestId: string;
  functionName: string;
  functionVersion: string;
  invokedFunctionArn: string;
  getRemainingTimeInMillis(): number;
}

/** A Lambda handler in its asynchronous form. */
export type Handler = (event: never, context: FunctionContext) => Promise<unknown>;

/** Calls a handler with what a callback brought. What it throws becomes the function's error: name and message, no trace. */
export async function answerOf(handler: Handler, { event, context }: Callback): Promise<CallbackAnswer> {
  const { deadlineMs, ...rest } = context;
  const remaining = () => Math.max(0, deadlineMs - Date.now());
  const full: FunctionContext = { ...rest, functionVersion: '$LATEST', getRemainingTimeInMillis: remaining };
  try {
    const result = await handler(event as never, full);
    return { payload: (result ?? null) as Json };
  } catch (error) {
    return { error: thrown(error) };
  }
}

/** Lambda names an error by its `name`; anything else thrown has the type `string`, `object`, ... */
export function thrown(error: unknown): FunctionError {
  if (error instanceof Error) return { errorType: error.name, errorMessage: error.message };
  return { errorType: typeof error, errorMessage: String(error) };
}
