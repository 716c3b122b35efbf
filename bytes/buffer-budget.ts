import { type Claim, createClaims, createFairPool, type TakeOptions } from './fair-pool.ts';

/** What a stream of bytes takes its buffers from. Buffers are shared memory, so that hashing threads see them without a copy. */
export interface BufferSource {
  /** No buffer should be larger, lest one stream have all there is. Bytes. */
  readonly largestBytes: number;
  /**
   * A buffer of exactly `bytes`. A single request above the whole budget is granted when nothing else is out.
   * @throws Busy when none came in time; the signal's reason when it is aborted while waiting
   */
  take(bytes: number, signal?: AbortSignal): Promise<Buffer>;
  /**
   * A buffer of FIRST_BYTES, for a stream that has yet to show that it moves. These lie beside the budget, an eighth of it at most:
   * whoever holds one while he waits for a large buffer keeps none from those who fill large ones.
   * @throws as `take`
   */
  takeFirst(signal?: AbortSignal): Promise<Buffer>;
  give(buffer: Buffer): void;
}

/** One stream's claim on the budget. */
export interface BufferShare extends BufferSource {
  /** Whether somebody waits for memory that this share holds; to be slow is its own affair otherwise. */
  isInTheWay(): boolean;
  /** The stream is over and has given all its buffers back. */
  close(): void;
}

/**
 * The memory of all uploads of a process, as reusable buffers: whoever finds it spent waits for his turn, and the wait travels back to
 * the client's socket. Shares are fair (bytes/fair-pool.ts).
 */
export interface BufferBudget extends BufferSource {
  readonly totalBytes: number;
  /** Bytes handed out now, first buffers included. */
  readonly usedBytes: number;
  /** A claim for one stream of `project`, which may hold two thirds of the budget at most, all its streams together. */
  share(project: string, options?: ShareOptions): BufferShare;
}

export interface ShareOptions {
  /** Milliseconds to wait for a stream's first two buffers. A stream under way waits for as long as it takes. Absent: no limit. */
  readonly waitMs?: number | undefined;
}

/** What a stream begins with: below it, nobody holds more than has arrived and this. */
export const FIRST_BYTES = 256 * 1024;
/** Idle bytes from which a collection is worth its milliseconds. */
const WORTH_COLLECTING = 32 * 1024 * 1024;
const FIRST_FRACTION = 1 / 8;
const LARGEST_FRACTION = 1 / 2;
const BUSY = 'The memory for uploads is spent by others; try again later.';

/**
 * @param totalBytes what may be handed out at once, first buffers aside
 * @param collect asks for a garbage collection, soon; absent without `--expose-gc`
 */
export function createBufferBudget(totalBytes: number, collect: (() => void) | undefined = collectSoon): BufferBudget {
  const large = createBuffers(totalBytes);
  const first = createBuffers(Math.max(FIRST_BYTES, totalBytes * FIRST_FRACTION));
  const firsts = new WeakSet<Buffer>();

  const takeFirst = async (options: TakeOptions): Promise<Buffer> => {
    const buffer = await first.take(FIRST_BYTES, options);
    firsts.add(buffer);
    return buffer;
  };
  const give = (buffer: Buffer): void => {
    const buffers = firsts.has(buffer) ? first : large;
    buffers.give(buffer);
    // Nobody uploads: the memory goes back, a new upload gets it again in milliseconds. Shared memory goes with a collection only.
    if (large.usedBytes > 0 || first.usedBytes > 0) return;
    if (large.idleBytes + first.idleBytes >= WORTH_COLLECTING) collect?.();
    large.forget();
    first.forget();
  };
  return {
    totalBytes,
    largestBytes: Number.POSITIVE_INFINITY,
    get usedBytes() {
      return large.usedBytes + first.usedBytes;
    },
    take: (bytes, signal) => large.take(bytes, { signal }),
    takeFirst: (signal) => takeFirst({ signal }),
    give,
    share(project, { waitMs } = {}) {
      const largeClaim = large.claims.open(project);
      const firstClaim = first.claims.open(project);
      let granted = 0;
      const limited = async (take: (limitMs: number | undefined) => Promise<Buffer>): Promise<Buffer> => {
        const buffer = await take(granted < 2 ? waitMs : undefined);
        granted += 1;
        return buffer;
      };
      return {
        largestBytes: Math.floor(totalBytes * LARGEST_FRACTION),
        take: (bytes, signal) =>
          limited((limitMs) => large.take(bytes, { signal, claim: largeClaim, waitMs: limitMs })),
        takeFirst: (signal) => limited((limitMs) => takeFirst({ signal, claim: firstClaim, waitMs: limitMs })),
        give,
        isInTheWay: () => large.isWaitedFor(largeClaim) || first.isWaitedFor(firstClaim),
        close() {
          large.claims.close(project);
          first.claims.close(project);
        },
      };
    },
  };
}

/** Buffers out of a fair pool of bytes: those given back wait here for whoever wants one of their size. */
function createBuffers(totalBytes: number) {
  const pool = createFairPool(totalBytes, BUSY);
  const idle = new Map<number, Buffer[]>();
  const holders = new Map<Buffer, Claim>();
  return {
    claims: createClaims(),
    get usedBytes() {
      return pool.usedUnits;
    },
    get idleBytes() {
      return bytesOf(idle);
    },
    async take(bytes: number, options: TakeOptions): Promise<Buffer> {
      await pool.take(bytes, options);
      const reused = idle.get(bytes)?.pop();
      if (reused === undefined) shrink(idle, totalBytes - pool.usedUnits);
      const buffer = reused ?? Buffer.from(new SharedArrayBuffer(bytes));
      if (options.claim !== undefined) holders.set(buffer, options.claim);
      return buffer;
    },
    give(buffer: Buffer): void {
      const claim = holders.get(buffer);
      holders.delete(buffer);
      const pile = idle.get(buffer.length) ?? [];
      pile.push(buffer);
      idle.set(buffer.length, pile);
      pool.give(buffer.length, claim);
    },
    /** Lets go of what is idle. */
    forget: (): void => idle.clear(),
    isWaitedFor: (claim: Claim): boolean => pool.isWaitedFor(claim),
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
