import type { Readable } from 'node:stream';

/** Bytes that may wait here; the rest waits in the socket. */
const WAITING = 512 * 1024;

/**
 * A body as arrays of what has arrived since the last look: everything one turn of the event loop read, so that what follows costs
 * per batch and not per 64 KiB chunk. Ends early without an error when the connection closes early: count the bytes.
 * @throws the stream's error
 */
export async function* bodyBatches(body: Readable): AsyncGenerator<readonly Uint8Array[], void, undefined> {
  let queue: Uint8Array[] = [];
  let waiting = 0;
  let ended = false;
  let failure: Error | undefined;
  let scheduled = false;
  let wake = (): void => undefined;
  const wakeSoon = (): void => {
    if (scheduled) return;
    // Not at once: the chunks of one poll come as one batch.
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      wake();
    });
  };
  const onEnd = (): void => {
    ended = true;
    wakeSoon();
  };
  body.on('data', (chunk: Uint8Array) => {
    queue.push(chunk);
    waiting += chunk.length;
    if (waiting >= WAITING) body.pause();
    wakeSoon();
  });
  body.on('end', onEnd).on('close', onEnd);
  body.on('error', (error) => {
    failure = error;
    wakeSoon();
  });
  try {
    for (;;) {
      if (queue.length > 0) {
        const batch = queue;
        queue = [];
        waiting = 0;
        body.resume();
        yield batch;
      } else if (failure !== undefined) throw failure;
      else if (ended) return;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    body.destroy();
  }
}
