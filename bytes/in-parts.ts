import { inLanes } from './in-lanes.ts';
import { openUpload, type UploadNote } from './noted-upload.ts';
import type { Metadata, Multipart, Store } from './store.ts';

export interface PartsOptions {
  readonly count: number;
  /** Parts on their way at once. */
  readonly lanes: number;
  /** Bytes of part `n`. */
  readonly lengthOf: (n: number) => number;
  /** Lets a later attempt go on where this one failed or was lost. */
  readonly note?: UploadNote | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Of the object. */
  readonly metadata?: Metadata | undefined;
  /** Called before each part and before the end; throwing stops the upload. */
  readonly guard?: (() => Promise<void>) | undefined;
  /** Told of the bytes of each part that stands. */
  readonly onBytes?: ((bytes: number) => Promise<void>) | undefined;
}

/**
 * Makes an object of parts, of which `put` uploads or copies one. Parts that an earlier attempt stored are left as they are; what was
 * stored of an upload that fails is removed, unless it is noted and may be gone on with. Returns its ETag.
 * @throws what `put` and `guard` throw; BackendUnavailable; the signal's reason
 */
export async function inParts(
  to: Store,
  key: string,
  { count, lanes, lengthOf, note, signal, metadata, guard, onBytes }: PartsOptions,
  put: (multipart: Multipart, n: number) => Promise<void>,
): Promise<string> {
  const { multipart, parts, giveUp } = await openUpload(to, key, { note, signal, metadata });
  try {
    await inLanes({ count, lanes, signal }, async (n) => {
      await guard?.();
      if (parts.get(n) !== lengthOf(n)) await put(multipart, n);
      await onBytes?.(lengthOf(n));
    });
    await guard?.();
    return await multipart.complete();
  } catch (error) {
    await giveUp(error);
    throw error;
  }
}
