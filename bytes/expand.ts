import { dataKey, locationUrl } from './keys.ts';
import { openUpload } from './noted-upload.ts';
import type { Places } from './places.ts';
import { plainWriter } from './plain-writer.ts';
import { stands } from './stands.ts';
import type { Store } from './store.ts';
import type { StoredBytes } from './stored-bytes.ts';
import { openStored } from './stored-image.ts';

export interface ExpandOptions {
  readonly guard?: (() => Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** An earlier attempt may have got somewhere: an object that stands is left as it is. */
  readonly isRetry?: boolean | undefined;
  /** Key in the staging bucket under which the upload is noted, so that a later attempt goes on with it. */
  readonly noteKey?: string | undefined;
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
  const { guard, signal, onBytes, noteKey, isRetry } = options;
  const reader = await openStored(places, from, { signal });
  const { size: totalBytes, etag = null } = reader;
  const written = { storedBytes: totalBytes, url: locationUrl(to, prefix, 'plain') };
  if (isRetry === true && (await stands(to, dataKey(prefix), totalBytes, signal))) return written;
  const of = { place: from.place, prefix: from.prefix, etag, size: totalBytes };
  const note = noteKey === undefined ? undefined : { at: places.staging, key: noteKey, of };
  const upload = await openUpload(to, dataKey(prefix), { note, signal });
  const writer = plainWriter(to, prefix, { guard, signal, totalBytes, upload, goesOn: true });
  try {
    await onBytes?.(writer.total);
    for await (const chunk of reader.stream(writer.total, totalBytes)) {
      await writer.write(chunk);
      await onBytes?.(chunk.length);
    }
    await writer.finish();
    return written;
  } catch (error) {
    await writer.abort(error);
    throw error;
  }
}
