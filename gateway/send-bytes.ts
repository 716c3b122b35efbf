import type { ServerResponse } from 'node:http';
import type { DownloadShare } from './download-places.ts';
import { ClientGone, type Pace } from './pump.ts';
import { limitStall } from './slow-client.ts';

export interface SendOptions {
  readonly share: DownloadShare;
  readonly signal: AbortSignal;
  /** Milliseconds in which a client must take something. */
  readonly stallMs: number;
  /** What is asked of a client whose place others wait for: each batch in its time at this rate, and `windowMs` of grace. */
  readonly pace: Pace;
}

/** Bytes of a download from an offset on; each batch is what was here at once. */
export type Batches = AsyncGenerator<readonly Uint8Array[], void, undefined>;

/** A turn is given away, if others wait, when the client is not done with a batch after so long, and after so long in any case. */
const SLOW_MS = 250;
const TURN_MS = 5_000;
/** Between looks at who waits. */
const LOOK_MS = 100;

/**
 * Writes bytes [start, end) as the client takes them; the first batch was read with a turn that is held. While the client is slow and
 * others wait, reading stops, which frees its connections to the store, and begins again behind what was written.
 * @param open reads from an offset on
 * @throws ClientGone when the client went, or is sent away for its pace; what reading throws
 */
export async function sendBytes(
  response: ServerResponse,
  { start, end }: { readonly start: number; readonly end: number },
  first: { readonly batches: Batches; readonly next: IteratorResult<readonly Uint8Array[], void> },
  open: (at: number) => Batches,
  options: SendOptions,
): Promise<void> {
  const { share, signal } = options;
  limitStall(response, options.stallMs);
  let { batches, next } = first;
  for (let at = start; ; ) {
    const since = performance.now();
    const isOver = (): boolean => performance.now() - since > TURN_MS && share.isTurnWanted();
    try {
      for (; next.done !== true; next = await batches.next()) {
        at += write(response, next.value);
        const isReady = await drained(response, options, (ms) => ms > SLOW_MS && share.isTurnWanted());
        if (!isReady || isOver()) break;
      }
    } finally {
      await batches.return();
    }
    if (at >= end) break;
    share.giveTurn();
    await drained(response, options);
    await share.takeTurn(signal);
    batches = open(at);
    next = await batches.next();
  }
  response.end();
}

function write(response: ServerResponse, batch: readonly Uint8Array[]): number {
  let bytes = 0;
  response.cork();
  for (const chunk of batch) {
    response.write(chunk);
    bytes += chunk.length;
  }
  response.uncork();
  return bytes;
}

/**
 * Waits while the socket is full. False when `isEnough`, asked with the milliseconds waited, said so before.
 * @throws ClientGone when it closed, or when the client is below its pace while others wait for its place
 */
function drained(
  response: ServerResponse,
  { share, pace }: SendOptions,
  isEnough: (waitedMs: number) => boolean = () => false,
): Promise<boolean> | true {
  if (!response.writableNeedDrain && !response.destroyed) return true;
  const limitMs = pace.windowMs + (response.writableLength * 1000) / pace.bytesPerSecond;
  const since = performance.now();
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearInterval(looking);
      response.off('drain', settle).off('close', settle);
      if (response.destroyed) reject(new ClientGone('the client disconnected in the middle of the download'));
      else resolve(!response.writableNeedDrain);
    };
    const looking = setInterval(() => {
      const waitedMs = performance.now() - since;
      if (waitedMs > limitMs && share.isPlaceWanted()) response.destroy();
      else if (isEnough(waitedMs)) settle();
    }, LOOK_MS);
    response.once('drain', settle).once('close', settle);
    if (response.destroyed) settle();
  });
}
