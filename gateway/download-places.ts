import { type Claim, createClaims, createFairPool, type FairPool } from '../bytes/fair-pool.ts';

/**
 * What all downloads of a process share: memory, a place for each client that is answered, and turns to read from stores, each with
 * its connections there. A client that takes its bytes slowly keeps its place and gives its turn away.
 */
export interface DownloadPlaces {
  share(project: string): DownloadShare;
}

/** One download's part. */
export interface DownloadShare {
  /** Takes a place and a turn. @throws Busy when there was none in time; the signal's reason */
  enter(signal: AbortSignal): Promise<void>;
  /** Takes a turn again, whenever there is one. @throws the signal's reason */
  takeTurn(signal: AbortSignal): Promise<void>;
  giveTurn(): void;
  /** Whether somebody waits for the turn it has. */
  isTurnWanted(): boolean;
  /** Whether somebody waits for the place it has. */
  isPlaceWanted(): boolean;
  /** The download is over; gives back what it has. */
  close(): void;
}

export interface PlacesOptions {
  /** Bytes of memory for the clients of all downloads. */
  readonly budgetBytes: number;
  /** Milliseconds to wait for a place, and for the first turn. */
  readonly waitMs: number;
}

/** What a client holds while it takes nothing: a batch of the store's (aws/s3/body-batches.ts), what is being sent, the streams. */
const PLACE_BYTES = 1024 * 1024;
/** Times the four connections of a sparse image (bytes/sparse-batches.ts), three quarters of those to one service (aws/s3/client.ts). */
const TURNS = 24;
const BUSY = 'Others download all that can be sent at once; try again later.';

export function createDownloadPlaces({ budgetBytes, waitMs }: PlacesOptions): DownloadPlaces {
  const places = {
    pool: createFairPool(Math.max(1, Math.floor(budgetBytes / PLACE_BYTES)), BUSY),
    claims: createClaims(),
  };
  const turns = { pool: createFairPool(TURNS, BUSY), claims: createClaims() };
  return {
    share(project) {
      const place = holding(places.pool, places.claims.open(project));
      const turn = holding(turns.pool, turns.claims.open(project));
      return {
        async enter(signal) {
          await place.take(signal, waitMs);
          await turn.take(signal, waitMs);
        },
        takeTurn: (signal) => turn.take(signal),
        giveTurn: turn.give,
        isTurnWanted: turn.isWanted,
        isPlaceWanted: place.isWanted,
        close() {
          turn.give();
          place.give();
          places.claims.close(project);
          turns.claims.close(project);
        },
      };
    },
  };
}

/** One unit of a pool, which is held or not. */
function holding(pool: FairPool, claim: Claim) {
  let held = false;
  return {
    async take(signal: AbortSignal, waitMs?: number): Promise<void> {
      await pool.take(1, { signal, claim, waitMs });
      held = true;
    },
    give(): void {
      if (held) pool.give(1, claim);
      held = false;
    },
    isWanted: (): boolean => pool.isWaitedFor(claim),
  };
}
