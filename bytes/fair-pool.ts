import { Busy } from '../core/errors.ts';

/** What is out, of one project or one stream: units of a pool. */
interface Held {
  units: number;
}

/** Who asks: a stream, for its project. */
export interface Claim {
  readonly project: Held;
  readonly stream: Held;
}

export interface TakeOptions {
  readonly signal?: AbortSignal | undefined;
  /** Absent: nobody in particular, who may have all there is. */
  readonly claim?: Claim | undefined;
  /** Milliseconds after which it is Busy. Absent: no limit. */
  readonly waitMs?: number | undefined;
}

/**
 * A number of units that many share: whoever finds them taken waits for his turn. Who holds least comes first, by project and then by
 * stream; a project may hold two thirds of all, its streams together.
 */
export interface FairPool {
  readonly usedUnits: number;
  /**
   * Takes `units`; a single request above the whole pool is granted when nothing else is out.
   * @throws Busy when it was not granted in time; the signal's reason when it is aborted while waiting
   */
  take(units: number, options?: TakeOptions): Promise<void>;
  give(units: number, claim?: Claim): void;
  /** Whether somebody waits for what this stream holds. */
  isWaitedFor(claim: Claim): boolean;
}

const PROJECT_FRACTION = 2 / 3;
const RETRY_AFTER_SECONDS = 30;

interface Waiter {
  readonly units: number;
  readonly claim: Claim | undefined;
  readonly grant: () => void;
}

/** @param busy what is said to whoever waited too long */
export function createFairPool(totalUnits: number, busy: string): FairPool {
  let used = 0;
  const waiting: Waiter[] = [];
  const mostOfProject = totalUnits * PROJECT_FRACTION;

  const fits = (units: number): boolean => used === 0 || used + units <= totalUnits;
  /** Below what its project may hold; one request it always may. */
  const mayHave = (units: number, claim: Claim | undefined): boolean =>
    claim === undefined || claim.project.units === 0 || claim.project.units + units <= mostOfProject;
  const count = (units: number, claim: Claim | undefined): void => {
    used += units;
    if (claim === undefined) return;
    claim.project.units += units;
    claim.stream.units += units;
  };
  /** The waiter whose turn it is. Nobody passes it because his own wish is smaller. */
  const next = (): Waiter | undefined => {
    let best: Waiter | undefined;
    for (const waiter of waiting)
      if (mayHave(waiter.units, waiter.claim) && (best === undefined || holdsLess(waiter, best))) best = waiter;
    return best;
  };
  const serve = (): void => {
    for (let waiter = next(); waiter !== undefined && fits(waiter.units); waiter = next()) {
      waiting.splice(waiting.indexOf(waiter), 1);
      count(waiter.units, waiter.claim);
      waiter.grant();
    }
  };
  return {
    get usedUnits() {
      return used;
    },
    take(units, { signal, claim, waitMs } = {}) {
      if (signal?.aborted === true) return Promise.reject(signal.reason);
      if (next() === undefined && fits(units) && mayHave(units, claim)) {
        count(units, claim);
        return Promise.resolve();
      }
      return new Promise<void>((resolve, reject) => {
        let timer: NodeJS.Timeout | undefined;
        const settle = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
        };
        const waiter: Waiter = {
          units,
          claim,
          grant: () => {
            settle();
            resolve();
          },
        };
        const leave = (reason: unknown): void => {
          settle();
          waiting.splice(waiting.indexOf(waiter), 1);
          reject(reason);
          serve();
        };
        const onAbort = (): void => leave(signal?.reason);
        if (waitMs !== undefined) timer = setTimeout(() => leave(new Busy(busy, RETRY_AFTER_SECONDS)), waitMs);
        signal?.addEventListener('abort', onAbort, { once: true });
        waiting.push(waiter);
      });
    },
    give(units, claim) {
      count(-units, claim);
      serve();
    },
    isWaitedFor: (claim) =>
      claim.stream.units > 0 &&
      waiting.some(
        (waiter) =>
          waiter.claim?.stream !== claim.stream &&
          (waiter.claim?.project === claim.project || mayHave(waiter.units, waiter.claim)),
      ),
  };
}

/** Its project holds less; or as much, and the stream holds less; or else it was there before. */
function holdsLess({ claim: a }: Waiter, { claim: b }: Waiter): boolean {
  const byProject = (a?.project.units ?? 0) - (b?.project.units ?? 0);
  return byProject !== 0 ? byProject < 0 : (a?.stream.units ?? 0) < (b?.stream.units ?? 0);
}

/** Makes the claims of streams on one pool: those of a project share what they hold, for as long as one of them is open. */
export interface Claims {
  open(project: string): Claim;
  close(project: string): void;
}

export function createClaims(): Claims {
  const projects = new Map<string, { readonly held: Held; streams: number }>();
  return {
    open(project) {
      const entry = projects.get(project) ?? { held: { units: 0 }, streams: 0 };
      projects.set(project, entry);
      entry.streams += 1;
      return { project: entry.held, stream: { units: 0 } };
    },
    close(project) {
      const entry = projects.get(project);
      if (entry === undefined) return;
      entry.streams -= 1;
      if (entry.streams === 0) projects.delete(project);
    },
  };
}
