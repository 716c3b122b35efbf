import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { FetchFailed } from '../core/errors.ts';
import { shownUri } from '../core/shown-url.ts';
import { reason } from './request.ts';

/** A stretch of a file that is read over as many connections as it takes. Offsets are bytes of the file. */
export interface Stretch {
  readonly uri: string;
  readonly start: number;
  /** Behind the last byte; absent where it is not known. */
  readonly end?: number | undefined;
  readonly signal: AbortSignal;
  /** An answer that is there already. */
  readonly first?: IncomingMessage;
  /**
   * Asks for the stretch from a byte on; undefined when the server has it no more, or gives no parts. Absent: nothing names the version,
   * so what breaks is over. @throws FetchFailed when no answer came
   */
  readonly ask?: (from: number) => Promise<IncomingMessage | undefined>;
}

/** Connections in a row that bring less than WORTH_IT. */
const TRIES = 4;
const WORTH_IT = 1024 * 1024;
const FIRST_PAUSE_MS = 200;

/** @throws FetchFailed when the server has the version no more, or its connections break again and again */
export async function* goingOn({ uri, start, end, signal, first, ask }: Stretch): AsyncGenerator<Uint8Array> {
  let response = first;
  let at = start;
  for (let vain = 0; ; ) {
    const from = at;
    try {
      response ??= await answerTo(uri, from, ask);
      for await (const chunk of response) {
        at += (chunk as Uint8Array).length;
        yield chunk as Uint8Array;
      }
      return;
    } catch (error) {
      if (at === end) return;
      vain = at - from >= WORTH_IT ? 0 : vain + 1;
      if (error instanceof NotGiven || ask === undefined || signal.aborted || vain >= TRIES) throw broken(uri, error);
      response = undefined;
      await sleep(FIRST_PAUSE_MS * 2 ** vain, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Asking again would be answered the same. */
class NotGiven extends FetchFailed {}

async function answerTo(uri: string, from: number, ask: Stretch['ask']): Promise<IncomingMessage> {
  const response = await ask?.(from);
  if (response === undefined) throw new NotGiven(`${shownUri(uri)} gives no part of the file from byte ${from}`);
  return response;
}

function broken(uri: string, error: unknown): FetchFailed {
  if (error instanceof FetchFailed) return error;
  return new FetchFailed(`${shownUri(uri)}: the connection broke: ${reason(error)}`);
}
