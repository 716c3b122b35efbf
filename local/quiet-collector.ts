/**
 * Gives back what a burst of work left in the heap: V8 collects when a process allocates, so one that has become idle keeps its
 * garbage for good, and keeps the pages of what it did collect in a pool of its own.
 */
import { performance } from 'node:perf_hooks';

const LOOK_MS = 5_000;
/** Share of time at work below which a pause of some 100 ms is nobody's. */
const QUIET = 0.2;
/** Share from which something was done that may have left garbage behind: a quarter of a second between two looks. */
const AT_WORK = 0.05;
/** Bytes of growth that are worth it. */
const WORTH_COLLECTING = 16 * 1024 * 1024;
/** Quiet looks at which it collects after it has grown: what sockets and threads held the first time is free later. */
const AT_LOOKS: readonly number[] = [0, 3, 6];
const LAST_LOOK = 6;

export interface Watched {
  /** Resident bytes of the process. */
  bytes(): number;
  /** Share of time since the last look in which the event loop was at work, 0 to 1. */
  busy(): number;
  /** Collects all there is, and lets go of the pages. */
  collect(): Promise<void>;
}

/**
 * What is done at each look: collects when all is quiet and memory has grown since it was collected last, and twice more. Those two wait
 * for the end of work that is quiet itself: what an import holds is free when it has ended, and nothing grows then.
 */
export function quietCollector({ bytes, busy, collect }: Watched): () => Promise<void> {
  let least = bytes();
  let floor = least;
  let quietLooks = LAST_LOOK + 1;
  return async () => {
    const now = bytes();
    const share = busy();
    least = Math.min(least, now);
    floor = Math.min(floor, now);
    if (now - least >= WORTH_COLLECTING) {
      least = now;
      quietLooks = 0;
    } else if (share > AT_WORK && now - floor >= WORTH_COLLECTING) quietLooks = Math.min(quietLooks, 1);
    if (share > QUIET || quietLooks > LAST_LOOK) return;
    if (AT_LOOKS.includes(quietLooks++)) await collect();
  };
}

/** Watches this process for as long as it lives. Nothing without `--expose-gc`. */
export function collectWhenQuiet(): void {
  const { gc } = globalThis;
  if (gc === undefined) return;
  let last = performance.eventLoopUtilization();
  const look = quietCollector({
    bytes: () => process.memoryUsage.rss(),
    busy() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return utilization;
    },
    // As a last resort alone does V8 empty its pool of pages.
    collect: async () => void (await gc({ execution: 'async', type: 'major', flavor: 'last-resort' })),
  });
  setInterval(() => void look(), LOOK_MS).unref();
}
