import { StaleRevision } from '../errors.ts';

/** How often work is done again after losing a race; each loss means that somebody else won. */
const ATTEMPTS = 50;
/** A loser waits a random time below this, doubled with each loss up to the second number. Milliseconds; a write takes about two. */
const FIRST_WAIT_MS = 4;
const LONGEST_WAIT_MS = 100;

/** The last turn of each thing that is being worked on in this process. */
const turns = new Map<string, Promise<unknown>>();

/** Runs work after all earlier work of this process on the same thing, first come first served. @throws whatever the work throws */
function inTurn<T>(thing: string, work: () => Promise<T>): Promise<T> {
  const before = turns.get(thing) ?? Promise.resolve();
  const turn = before.then(work);
  const ended = turn
    .catch(() => undefined)
    .then(() => {
      if (turns.get(thing) === ended) turns.delete(thing);
    });
  turns.set(thing, ended);
  return turn;
}

/**
 * Runs a read-check-write on an image until its write meets the revision that it read. Every run reads anew, so nothing is lost.
 * Work of one process on one image takes turns: otherwise all but one of many writers lose each time, and the unlucky ones wait
 * longest. Against other processes a loser waits a random time.
 * @throws whatever the work throws, and StaleRevision after 50 losses
 */
export function revised<T>(imageId: string, work: () => Promise<T>): Promise<T> {
  return inTurn(imageId, () => untilMet(work));
}

/** As `revised`, without turns, for steps of a workflow: a worker that is stuck in its write keeps no other one waiting. */
export async function untilMet<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StaleRevision) || attempt >= ATTEMPTS) throw error;
    }
    const longestMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * longestMs));
  }
}
