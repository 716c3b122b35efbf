import type { IncomingMessage } from 'node:http';
import { InvalidInput, TooSlow } from '../core/errors.ts';

/** The client closed the connection before its request or our answer was complete; nobody hears what we say. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** Looks per stall limit. */
const LOOKS = 10;

export interface PumpOptions {
  readonly signal: AbortSignal;
  /** Milliseconds without a byte, while we are ready to read, after which the client is given up. */
  readonly stallMs: number;
  /** What is asked of a client whose memory others wait for. */
  readonly pace: Pace;
  readonly isInTheWay: () => boolean;
}

/** A rate, and the time it is averaged over. */
export interface Pace {
  readonly bytesPerSecond: number;
  readonly windowMs: number;
}

/**
 * Feeds a request body to `write`, chunk by chunk as the socket delivers it. While a promise of `write` is pending the socket is
 * paused, which is how a full buffer budget reaches the client.
 * @throws ClientGone, InvalidInput when the client stalls, TooSlow when it keeps others waiting, what `write` throws, the signal's reason
 */
export function pump(
  request: IncomingMessage,
  write: (chunk: Buffer) => Promise<void> | undefined,
  { signal, stallMs, pace, isInTheWay }: PumpOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let settled = false;
    let ended = false;
    let writing = false;
    let quiet = 0;
    let seen = -1;
    // A timer per chunk would cost more than copying it: look at the byte count now and then instead.
    const watch = setInterval(() => {
      const { bytesRead } = request.socket;
      quiet = bytesRead === seen && !request.isPaused() ? quiet + 1 : 0;
      seen = bytesRead;
      if (quiet >= LOOKS) settle(new InvalidInput(`no data for ${stallMs / 1000} seconds`));
    }, stallMs / LOOKS);
    // Only time in which we read counts: what waits for memory or a store is not the client's slowness.
    let received = 0;
    let looks: number[] = [];
    const pacing = setInterval(() => {
      looks = writing ? [] : [...looks.slice(1 - LOOKS), received];
      received = 0;
      if (looks.length < LOOKS || !isInTheWay()) return;
      const perSecond = (looks.reduce((sum, bytes) => sum + bytes, 0) * 1000) / pace.windowMs;
      if (perSecond < pace.bytesPerSecond)
        settle(new TooSlow(`${Math.round(perSecond)} bytes per second, while others wait for the memory this takes`));
    }, pace.windowMs / LOOKS);
    const settle = (error?: unknown): void => {
      if (settled) return;
      settled = true;
      clearInterval(watch);
      clearInterval(pacing);
      signal.removeEventListener('abort', onAbort);
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      request.pause();
      if (error === undefined) resolve();
      else reject(error);
    };
    const onAbort = (): void => settle(signal.reason);
    // The end comes even while the socket is paused; the last chunk may still be on its way.
    const onEnd = (): void => {
      ended = true;
      if (!writing) settle();
    };
    const onClose = (): void => {
      if (!ended) settle(new ClientGone('the client disconnected in the middle of the upload'));
    };
    const resume = (): void => {
      writing = false;
      if (ended) settle();
      else if (!settled) request.resume();
    };
    const onData = (chunk: Buffer): void => {
      received += chunk.length;
      try {
        const waiting = write(chunk);
        if (waiting === undefined) return;
        writing = true;
        request.pause();
        waiting.then(resume, settle);
      } catch (error) {
        settle(error);
      }
    };
    if (signal.aborted) return onAbort();
    if (request.destroyed && !request.complete) return onClose();
    signal.addEventListener('abort', onAbort, { once: true });
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}
