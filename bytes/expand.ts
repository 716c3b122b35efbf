import { locationUrl } from './keys.ts';
import type { Places } from './places.ts';
import { plainWriter } from './plain-writer.ts';
import type { Store } from './store.ts';
import type { StoredBytes } from './stored-bytes.ts';
import { openStored } from './stored-image.ts';

export interface ExpandOptions {
  readonly guard?: (() => Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bytes written since the last call. */
  readonly onBytes?: ((bytes: number) => Promise<void>) | undefined;
}

/**
 * Writes a sparse image as one plain object, zeros included, for stores whose consumers read the bucket themselves.
 * @throws as `openStored` and `plainWriter`
 */
export async function expandStored(
  places: Places,
  from: StoredBytes,
  to: Store,
  prefix: string,
  options: ExpandOptions = {},
): Promise<{ storedBytes: number; url: string }> {
  const { guard, signal, onBytes } = options;
  const reader = await openStored(places, from, { signal });
  const writer = plainWriter(to, prefix, { guard, signal, totalBytes: reader.size });
  try {
    for await (const chunk of reader.stream(0, reader.size)) {
      await writer.write(chunk);
      await onBytes?.(chunk.length);
    }
    const { storedBytes } = await writer.finish();
    return { storedBytes, url: locationUrl(to, prefix, 'plain') };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
