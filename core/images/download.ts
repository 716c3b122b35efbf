import type { StoredBytes } from '../../bytes/stored-bytes.ts';
import type { WithConfig } from '../config.ts';
import { Forbidden, InvalidInput } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import type { WithMembers } from '../members/repository.ts';
import type { WithPolicy } from '../policy/port.ts';
import { enforce, type Seen, seenImage } from './access.ts';
import type { Image } from './image.ts';
import type { WithImages } from './repository.ts';
import { storedBytesOf } from './stored-bytes.ts';

export type DownloadDeps = WithConfig & WithImages & WithMembers & WithPolicy;

/** What a download may read: copies in the order to try them; none when the image has no data. */
export interface Download {
  readonly image: Image;
  readonly copies: readonly StoredBytes[];
}

/**
 * Decides a GET file (contract: images.md section 11).
 * @param prefer store ids of the `prefer` query, in order; undefined when it was not given
 * @throws NotFound, Forbidden (policy, deactivated), InvalidInput (unknown store in `prefer`)
 */
export async function planDownload(
  deps: DownloadDeps,
  caller: Caller,
  imageId: string,
  prefer: readonly string[] | undefined,
): Promise<Download> {
  const seen = await seenImage(deps, caller, imageId);
  await enforce(deps, 'download_image', seen, caller);
  if (prefer !== undefined) await checkPreference(deps, seen, caller, prefer);
  const { image } = seen;
  if (image.status === 'deactivated' && !caller.isAdmin) {
    throw new Forbidden('The requested image has been deactivated. Image data download is forbidden.');
  }
  if (image.status !== 'active' && image.status !== 'deactivated') return { image, copies: [] };
  return { image, copies: copiesOf(deps, image, prefer ?? []) };
}

async function checkPreference(
  deps: DownloadDeps,
  seen: Seen,
  caller: Caller,
  prefer: readonly string[],
): Promise<void> {
  await enforce(deps, 'download_from_store', seen, caller);
  const unknown = prefer.find((id) => !deps.config.stores.some((store) => store.id === id));
  if (unknown !== undefined) throw new InvalidInput(`prefer: there is no store "${unknown}"`);
}

/** Preferred stores first, then by weight, then by the time the copy was made. Copies in stores no longer configured are no help. */
function copiesOf(deps: DownloadDeps, image: Image, prefer: readonly string[]): StoredBytes[] {
  const stores = new Map(deps.config.stores.map((store) => [store.id, store]));
  const preference = (store: string): number => {
    const at = prefer.indexOf(store);
    return at === -1 ? prefer.length : at;
  };
  const weight = (store: string): number => stores.get(store)?.weight ?? 0;
  return image.locations
    .filter((location) => stores.has(location.store))
    .toSorted(
      (a, b) =>
        preference(a.store) - preference(b.store) || weight(b.store) - weight(a.store) || a.addedAtMs - b.addedAtMs,
    )
    .flatMap((location) => storedBytesOf(deps.config, image, location) ?? []);
}
