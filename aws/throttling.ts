/**
 * A service that is asked too much, or is away, in our words: the SDK tries some of it anew, and what is left after that is `Throttled` or
 * `BackendUnavailable`, for a step to wait and for a request to be answered with 503.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { BackendUnavailable, Throttled } from '../core/errors.ts';

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
/** DynamoDB API Reference, TransactWriteItems, "Cancellation reasons": not for what is written, but for how much. */
const CANCELLED_FOR_NOW: ReadonlySet<string> = new Set(['ThrottlingError', 'ProvisionedThroughputExceeded']);

/** The SDK does not try a cancelled transaction again. Nothing was written then: some three seconds in all. */
const ATTEMPTS = 6;
const FIRST_WAIT_MS = 100;

/** True when the service took no more requests, and would take this one later. */
export function isThrottling(error: unknown): boolean {
  return error instanceof Error && (THROTTLING.has(error.name) || isCancelledForNow(error));
}

function isCancelledForNow(error: Error & { readonly CancellationReasons?: readonly { Code?: string }[] }): boolean {
  if (error.name !== 'TransactionCanceledException') return false;
  const codes = (error.CancellationReasons ?? []).map(({ Code = 'None' }) => Code).filter((code) => code !== 'None');
  return codes.length > 0 && codes.every((code) => CANCELLED_FOR_NOW.has(code));
}

/** Of Node: nobody answers, or not to the end. */
const UNREACHABLE: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** True when the service did not answer, or failed by its own fault (5xx). */
function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { name, code, $metadata } = error as Error & { code?: unknown; $metadata?: { httpStatusCode?: number } };
  return name === 'TimeoutError' || UNREACHABLE.has(String(code)) || ($metadata?.httpStatusCode ?? 0) >= 500;
}

/** A client of the SDK, whichever service it asks. */
interface Client {
  readonly middlewareStack: {
    add(middleware: never, options: { name: string; step: 'initialize'; priority: 'high' }): void;
  };
}
type Next = (args: unknown) => Promise<unknown>;

/**
 * Makes a client throw `Throttled` where its service says so, and `BackendUnavailable` where it does not answer, and try a transaction
 * again that found a key busy. The same client.
 */
export function patient<C extends Client>(client: C): C {
  const middleware = (next: Next) => (args: unknown) => patiently(() => next(args));
  client.middlewareStack.add(middleware as never, { name: 'sayThrottled', step: 'initialize', priority: 'high' });
  return client;
}

async function patiently<A>(ask: () => Promise<A>): Promise<A> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (isAway(error))
        throw new BackendUnavailable('The service is not available; try again later.', { cause: error });
      if (!isThrottling(error)) throw error;
      if (attempt === ATTEMPTS || !isCancelledForNow(error as Error))
        throw new Throttled('The service is asked more than it can take; try again later.', { cause: error });
      await sleep(FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2));
    }
  }
}
