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

/** Idle bytes from which a collection is worth its milliseconds. */
const WORTH_COLLECTING = 32 * 1024 * 1024;

/**
 * @param totalBytes what may be handed out at once
 * @param collect asks for a garbage collection, soon; absent without `--expose-gc`
 */
export function createBufferBudget(totalBytes: number, collect: (() => void) | undefined = collectSoon): BufferBudget {
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
      // Nobody uploads: the memory goes back, a new upload gets it again in milliseconds. Shared memory goes with a collection only.
      if (used > 0) return;
      if (bytesOf(idle) >= WORTH_COLLECTING) collect?.();
      idle.clear();
    },
  };
}

function bytesOf(idle: ReadonlyMap<number, readonly Buffer[]>): number {
  return [...idle].reduce((sum, [bytes, pile]) => sum + bytes * pile.length, 0);
}

/** A while later: until then the connections that sent the buffers still refer to them. */
function collectSoon(): void {
  setTimeout(() => void globalThis.gc?.({ execution: 'async', type: 'major' }), 50).unref();
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
