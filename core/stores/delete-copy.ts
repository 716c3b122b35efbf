import type { WithBytes } from '../../bytes/bytes-port.ts';
import { imagePrefix } from '../../bytes/keys.ts';
import type { WithClock } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import type { WithDuties } from '../duties/duty.ts';
import { Conflict, Forbidden, NotFound } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { enforce, seenImage } from '../images/access.ts';
import { type Image, type Location, locationId } from '../images/image.ts';
import type { WithImages } from '../images/repository.ts';
import { retireWrite } from '../images/retire-write.ts';
import { revised } from '../images/revise.ts';
import type { WithLog } from '../log.ts';
import type { WithMembers } from '../members/repository.ts';
import type { WithPolicy } from '../policy/port.ts';

type CopyDeps = WithConfig & WithClock & WithImages & WithMembers & WithPolicy & WithDuties & WithBytes & WithLog;

/**
 * Takes one store's copy off an image (contract: images.md section 16, "DELETE store copy", checks in that order); first the
 * record forgets it, then the bytes go.
 * @throws Conflict, NotFound, Forbidden
 */
export async function deleteStoreCopy(deps: CopyDeps, caller: Caller, store: string, id: string): Promise<void> {
  if (!deps.config.stores.some((each) => each.id === store)) throw new Conflict(`Unknown store '${store}'`);
  const removed = await revised(id, async () => {
    const seen = await seenImage(deps, caller, id);
    await enforce(deps, 'get_image_location', seen, caller);
    await enforce(deps, 'delete_image_location', seen, caller);
    const copies = copiesIn(seen.image, store);
    await deps.images.change(id, {
      expect: { revision: seen.image.revision, status: ['active'] },
      removeLocations: copies.map(locationId),
    });
    return copies;
  });
  for (const { writeId } of removed) {
    if (writeId === undefined) continue; // a location that a client brought: its bytes are not ours
    await retireWrite(deps, { imageId: id, writeId, places: [{ place: store, prefix: imagePrefix(id, writeId) }] });
  }
}

function copiesIn(image: Image, store: string): Location[] {
  if (image.status !== 'active')
    throw new Conflict(`It's not allowed to delete a copy of image ${image.id} in status ${image.status}`);
  if (image.locations.length === 1) throw new Forbidden('Cannot delete the only copy of an image from its store.');
  const copies = image.locations.filter((location) => location.store === store);
  if (copies.length === 0) throw new NotFound(`Image ${image.id} is not stored in ${store}`);
  return copies;
}
