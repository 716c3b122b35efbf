/**
 * The memory of all uploads of a process, as reusable shared buffers: whoever finds the budget spent waits for his turn, and the
 * wait travels back to the client's socket. Buffers are shared memory, so that hashing threads see them without a copy.
 */
export interface BufferBudget {
  readonly totalBytes: number;
  /** Bytes handed out now. */
  readonly usedBytes: number;
  /**
   * A buffer of exactly `bytes`, first come first served. A single request above the whole budget is granted when nothing else is out.
   * @throws the signal's reason when it is aborted while waiting
   */
  take(bytes: number, signal?: AbortSignal): Promise<Buffer>;
  give(buffer: Buffer): void;
}

interface Waiter {
  readonly bytes: number;
  readonly grant: (buffer: Buffer) => void;
}

/** @param totalBytes what may be handed out at once */
export function createBufferBudget(totalBytes: number): BufferBudget {
  let used = 0;
  const waiting: Waiter[] = [];
  const idle = new Map<number, Buffer[]>();

  const fits = (bytes: number): boolean => used === 0 || used + bytes <= totalBytes;
  const allot = (bytes: number): Buffer => {
    used += bytes;
    const reused = idle.get(bytes)?.pop();
    if (reused !== undefined) return reused;
    shrink(idle, totalBytes - used);
    return Buffer.from(new SharedArrayBuffer(bytes));
  };
  const serve = (): void => {
    for (let next = waiting[0]; next !== undefined && fits(next.bytes); next = waiting[0]) {
      waiting.shift();
      next.grant(allot(next.bytes));
    }
  };
  return {
    totalBytes,
    get usedBytes() {
      return used;
    },
    take(bytes, signal) {
      signal?.throwIfAborted();
      if (waiting.length === 0 && fits(bytes)) return Promise.resolve(allot(bytes));
      return new Promise<Buffer>((resolve, reject) => {
        const waiter: Waiter = {
          bytes,
          grant: (buffer) => {
            signal?.removeEventListener('abort', onAbort);
            resolve(buffer);
          },
        };
        const onAbort = (): void => {
          waiting.splice(waiting.indexOf(waiter), 1);
          reject(signal?.reason);
          serve();
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        waiting.push(waiter);
      });
    },
    give(buffer) {
      used -= buffer.length;
      const pile = idle.get(buffer.length) ?? [];
      pile.push(buffer);
      idle.set(buffer.length, pile);
      serve();
      // Nobody uploads: the memory goes back, a new upload gets it again in milliseconds.
      if (used === 0) idle.clear();
    },
  };
}

/** Drops idle buffers until they take at most `room` bytes, so that idle and used together stay within the budget. */
function shrink(idle: Map<number, Buffer[]>, room: number): void {
  let kept = 0;
  for (const [bytes, pile] of idle) {
    const keep = Math.max(0, Math.floor((room - kept) / bytes));
    if (pile.length > keep) pile.length = keep;
    kept += pile.length * bytes;
  }
}
