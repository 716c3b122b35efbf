import { NotFound } from '../core/errors.ts';
import type { Store } from './store.ts';

/**
 * Whether an object that this work makes was made by an earlier attempt. Its key is no other writer's, the request that made it was
 * verified and made all of it, and its bytes follow from what it is made of: its length tells the rest. Never where the service verifies
 * nothing, or is not known yet: the attempt may have ended before it read back what it sent.
 * @throws BackendUnavailable; the signal's reason
 */
export async function stands(store: Store, key: string, length: number, signal?: AbortSignal): Promise<boolean> {
  const { verifiesCrc32, verifiesMd5 } = store.abilities;
  if (!verifiesCrc32 && !verifiesMd5) return false;
  try {
    return (await store.headObject(key, signal)).size === length;
  } catch (error) {
    if (error instanceof NotFound) return false;
    throw error;
  }
}
