import { NotFound } from '../core/errors.ts';
import type { Store } from './store.ts';

/**
 * Whether an object that this work makes was made by an earlier attempt. Its key is no other writer's, the request that made it was
 * verified and made all of it, and its bytes follow from what it is made of: its length tells the rest.
 * @throws BackendUnavailable; the signal's reason
 */
export async function stands(store: Store, key: string, length: number, signal?: AbortSignal): Promise<boolean> {
  try {
    return (await store.headObject(key, signal)).size === length;
  } catch (error) {
    if (error instanceof NotFound) return false;
    throw error;
  }
}
