import { inLanes } from './in-lanes.ts';
import type { Metadata, Multipart, Store } from './store.ts';

export interface PartsOptions {
  readonly count: number;
  /** Parts on their way at once. */
  readonly lanes: number;
  readonly signal?: AbortSignal | undefined;
  /** Of the object. */
  readonly metadata?: Metadata | undefined;
  /** Called before each part and before the end; throwing stops the upload. */
  readonly guard?: (() => Promise<void>) | undefined;
}

/**
 * Makes an object of parts, of which `put` uploads or copies one; what was stored of an upload that fails is removed. Returns its ETag.
 * @throws what `put` and `guard` throw; BackendUnavailable; the signal's reason
 */
export async function inParts(
  to: Store,
  key: string,
  { count, lanes, signal, metadata, guard }: PartsOptions,
  put: (multipart: Multipart, n: number) => Promise<void>,
): Promise<string> {
  const multipart = to.multipart(key, signal, metadata);
  try {
    await inLanes({ count, lanes, signal }, async (n) => {
      await guard?.();
      await put(multipart, n);
    });
    await guard?.();
    return await multipart.complete();
  } catch (error) {
    await multipart.abort();
    throw error;
  }
}
