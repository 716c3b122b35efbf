/** Another try for what a network or a busy service broke. */
import { setTimeout as pause } from 'node:timers/promises';
import { kindOf } from '../../api/errors.ts';

/** How often, and how long between; milliseconds. */
export interface Tries {
  readonly most: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

/** About two minutes in all: a proxy restarts, a laptop changes its network. */
const PATIENT: Tries = { most: 12, firstPauseMs: 250, longestPauseMs: 20_000 };

interface Options {
  readonly tries?: Tries;
  readonly signal?: AbortSignal | undefined;
  /** What another try may mend; default: `isWorthATry`. */
  isWorthATry?(error: unknown): boolean;
  /** Told of each failure that is followed by another try. */
  onRetry?(error: unknown): void;
}

/** Kinds of the service's errors that pass by themselves: what a status of 429, or of 500 and more, is read as. */
const PASSING: ReadonlySet<string> = new Set(['BackendUnavailable', 'Throttled', 'Busy', 'TooManyRequests']);

/** What may go well next time: connections that break, a service that is busy or away. */
export function isWorthATry(error: unknown): boolean {
  const kind = kindOf(error);
  return kind === undefined ? isConnectionError(error) : PASSING.has(kind);
}

/** Codes of a connection that did not come about, or broke. */
const CONNECTION_CODES =
  /^(?:E(?:CONN(?:REFUSED|RESET|ABORTED)|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|NETDOWN|AI_AGAIN|PROTO)|HPE_.*|UND_ERR_(?!INVALID_ARG).*|ERR_(?:STREAM_PREMATURE_CLOSE|SSL_.*))$/;

function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined && CONNECTION_CODES.test(code)) return true;
  // fetch says `fetch failed` or `terminated`, and hides the reason; nothing that it was given is wrong with a cause of the network.
  return error.cause !== undefined && isConnectionError(error.cause);
}

/**
 * Calls until it goes well, with pauses that double and differ by chance.
 * @throws the last failure; at once what another try does not mend; the signal's reason
 */
export async function trying<T>(call: () => Promise<T>, options: Options = {}): Promise<T> {
  const { tries = PATIENT, signal } = options;
  for (let n = 1; ; n++) {
    signal?.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      signal?.throwIfAborted();
      if (n >= tries.most || !(options.isWorthATry ?? isWorthATry)(error)) throw error;
      options.onRetry?.(error);
      const wait = Math.min(tries.longestPauseMs, tries.firstPauseMs * 2 ** (n - 1)) * (0.5 + Math.random() / 2);
      await pause(wait, undefined, { ...(signal && { signal }) });
    }
  }
}
