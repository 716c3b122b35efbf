import { StaleRevision } from '../errors.ts';

/** How often work is done again after losing a race; each loss means that somebody else won. */
const ATTEMPTS = 50;

/**
 * Runs a read-check-write until its write meets the revision that it read. Every run reads anew, so nothing is lost.
 * @throws whatever the work throws, and StaleRevision after 50 losses
 */
export async function revised<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StaleRevision) || attempt >= ATTEMPTS) throw error;
    }
  }
}
