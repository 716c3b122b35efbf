import { Busy } from '../core/errors.ts';

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
 * the client's socket. Who holds least comes first, by project and then by stream.
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
const PROJECT_FRACTION = 2 / 3;
const LARGEST_FRACTION = 1 / 2;

/** Who asks. */
interface Claim {
  readonly project: Held;
  readonly stream: Held;
}
interface Held {
  bytes: number;
}
interface Waiter {
  readonly bytes: number;
  readonly claim: Claim | undefined;
  readonly grant: (buffer: Buffer) => void;
}

/**
 * @param totalBytes what may be handed out at once, first buffers aside
 * @param collect asks for a garbage collection, soon; absent without `--expose-gc`
 */
export function createBufferBudget(totalBytes: number, collect: (() => void) | undefined = collectSoon): BufferBudget {
  const large = createPool(totalBytes);
  const first = createPool(Math.max(FIRST_BYTES, totalBytes * FIRST_FRACTION));
  const firsts = new WeakSet<Buffer>();
  const projects = new Map<string, { large: Held; first: Held; streams: number }>();

  const takeFirst = async (signal?: AbortSignal, claim?: Claim, waitMs?: number): Promise<Buffer> => {
    const buffer = await first.take(FIRST_BYTES, signal, claim, waitMs);
    firsts.add(buffer);
    return buffer;
  };
  const give = (buffer: Buffer): void => {
    const pool = firsts.has(buffer) ? first : large;
    pool.give(buffer);
    // Nobody uploads: the memory goes back, a new upload gets it again in milliseconds. Shared memory goes with a collection only.
    if (large.used > 0 || first.used > 0) return;
    if (large.idleBytes + first.idleBytes >= WORTH_COLLECTING) collect?.();
    large.forget();
    first.forget();
  };
  return {
    totalBytes,
    largestBytes: Number.POSITIVE_INFINITY,
    get usedBytes() {
      return large.used + first.used;
    },
    take: (bytes, signal) => large.take(bytes, signal),
    takeFirst: (signal) => takeFirst(signal),
    give,
    share(project, { waitMs } = {}) {
      const held = projects.get(project) ?? { large: { bytes: 0 }, first: { bytes: 0 }, streams: 0 };
      projects.set(project, held);
      held.streams += 1;
      const largeClaim: Claim = { project: held.large, stream: { bytes: 0 } };
      const firstClaim: Claim = { project: held.first, stream: { bytes: 0 } };
      let granted = 0;
      const limited = async (take: (limitMs: number | undefined) => Promise<Buffer>): Promise<Buffer> => {
        const buffer = await take(granted < 2 ? waitMs : undefined);
        granted += 1;
        return buffer;
      };
      return {
        largestBytes: Math.floor(totalBytes * LARGEST_FRACTION),
        take: (bytes, signal) => limited((limitMs) => large.take(bytes, signal, largeClaim, limitMs)),
        takeFirst: (signal) => limited((limitMs) => takeFirst(signal, firstClaim, limitMs)),
        give,
        isInTheWay: () => large.isWaitedFor(largeClaim) || first.isWaitedFor(firstClaim),
        close() {
          held.streams -= 1;
          if (held.streams === 0) projects.delete(project);
        },
      };
    },
  };
}

interface Pool {
  readonly used: number;
  readonly idleBytes: number;
  take(bytes: number, signal?: AbortSignal, claim?: Claim, waitMs?: number): Promise<Buffer>;
  give(buffer: Buffer): void;
  /** Lets go of what is idle. */
  forget(): void;
  isWaitedFor(claim: Claim): boolean;
}

function createPool(totalBytes: number): Pool {
  let used = 0;
  const waiting: Waiter[] = [];
  const idle = new Map<number, Buffer[]>();
  const holders = new Map<Buffer, Claim>();
  const projectBytes = totalBytes * PROJECT_FRACTION;

  const fits = (bytes: number): boolean => used === 0 || used + bytes <= totalBytes;
  /** Below what its project may hold; one buffer it always may. */
  const mayHave = (bytes: number, claim: Claim | undefined): boolean =>
    claim === undefined || claim.project.bytes === 0 || claim.project.bytes + bytes <= projectBytes;
  const allot = (bytes: number, claim: Claim | undefined): Buffer => {
    used += bytes;
    const reused = idle.get(bytes)?.pop();
    if (reused === undefined) shrink(idle, totalBytes - used);
    const buffer = reused ?? Buffer.from(new SharedArrayBuffer(bytes));
    if (claim !== undefined) {
      claim.project.bytes += bytes;
      claim.stream.bytes += bytes;
      holders.set(buffer, claim);
    }
    return buffer;
  };
  /** The waiter whose turn it is. Nobody passes it because his own wish is smaller. */
  const next = (): Waiter | undefined => {
    let best: Waiter | undefined;
    for (const waiter of waiting)
      if (mayHave(waiter.bytes, waiter.claim) && (best === undefined || holdsLess(waiter, best))) best = waiter;
    return best;
  };
  const serve = (): void => {
    for (let waiter = next(); waiter !== undefined && fits(waiter.bytes); waiter = next()) {
      waiting.splice(waiting.indexOf(waiter), 1);
      waiter.grant(allot(waiter.bytes, waiter.claim));
    }
  };
  return {
    get used() {
      return used;
    },
    get idleBytes() {
      return bytesOf(idle);
    },
    take(bytes, signal, claim, waitMs) {
      if (signal?.aborted === true) return Promise.reject(signal.reason);
      if (next() === undefined && fits(bytes) && mayHave(bytes, claim)) return Promise.resolve(allot(bytes, claim));
      return new Promise<Buffer>((resolve, reject) => {
        let timer: NodeJS.Timeout | undefined;
        const settle = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
        };
        const waiter: Waiter = {
          bytes,
          claim,
          grant: (buffer) => {
            settle();
            resolve(buffer);
          },
        };
        const leave = (reason: unknown): void => {
          settle();
          waiting.splice(waiting.indexOf(waiter), 1);
          reject(reason);
          serve();
        };
        const onAbort = (): void => leave(signal?.reason);
        if (waitMs !== undefined) timer = setTimeout(() => leave(busy()), waitMs);
        signal?.addEventListener('abort', onAbort, { once: true });
        waiting.push(waiter);
      });
    },
    give(buffer) {
      used -= buffer.length;
      const claim = holders.get(buffer);
      holders.delete(buffer);
      if (claim !== undefined) {
        claim.project.bytes -= buffer.length;
        claim.stream.bytes -= buffer.length;
      }
      const pile = idle.get(buffer.length) ?? [];
      pile.push(buffer);
      idle.set(buffer.length, pile);
      serve();
    },
    forget: () => idle.clear(),
    isWaitedFor: (claim) =>
      claim.stream.bytes > 0 &&
      waiting.some(
        (waiter) =>
          waiter.claim?.stream !== claim.stream &&
          (waiter.claim?.project === claim.project || mayHave(waiter.bytes, waiter.claim)),
      ),
  };
}

/** Its project holds less; or as much, and the stream holds less; or else it was there before. */
function holdsLess({ claim: a }: Waiter, { claim: b }: Waiter): boolean {
  const byProject = (a?.project.bytes ?? 0) - (b?.project.bytes ?? 0);
  return byProject !== 0 ? byProject < 0 : (a?.stream.bytes ?? 0) < (b?.stream.bytes ?? 0);
}

const RETRY_AFTER_SECONDS = 30;

const busy = (): Busy => new Busy('The memory for uploads is spent by others; try again later.', RETRY_AFTER_SECONDS);

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
