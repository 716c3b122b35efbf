import { StaleRevision } from '../errors.ts';

const ATTEMPTS = 8;

/**
 * Reads and writes once more while others were faster: the attempt starts with its own read.
 * @throws StaleRevision after several attempts; whatever else the attempt throws
 */
export async function whileStale<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = ATTEMPTS; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof StaleRevision) || left <= 1) throw error;
    }
  }
}
