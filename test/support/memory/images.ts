import type { Clock } from '../../../core/clock.ts';
import { Conflict, ImageServiceError } from '../../../core/errors.ts';
import { applied } from '../../../core/images/applied.ts';
import { assertTransition, meets, refusal } from '../../../core/images/expectation.ts';
import type { Image } from '../../../core/images/image.ts';
import type { ImageChange, ImageRecords } from '../../../core/images/repository.ts';
import { byText, type Records } from './records.ts';

/** Image records by their ids, for the repository and the listing that looks at the same ones. */
export type ImageMap = Records<Image>;

/** The ImageRepository on a map. A deleted image leaves its id behind. */
export function memoryImages(records: ImageMap, clock: Clock): ImageRecords {
  const used = new Set<string>(records.values().map(({ id }) => id));

  function expected(id: string, expect: ImageChange['expect']): Image {
    const image = records.get(id);
    if (image === undefined || !meets(image, expect)) throw refusal(id, image, expect);
    return image;
  }

  function write(id: string, change: ImageChange): { readonly before: Image; readonly after: Image } {
    assertTransition(change);
    const before = expected(id, change.expect);
    const after = applied(before, change, new Date(clock.now()).toISOString());
    records.set(id, after);
    return { before, after };
  }

  return {
    async create(image) {
      if (used.has(image.id)) throw new Conflict(`Image ID ${image.id} already exists!`);
      used.add(image.id);
      records.set(image.id, stored(image));
    },

    async get(id) {
      return records.get(id);
    },

    change: async (id, change) => write(id, change).after,

    async swap(id, change) {
      try {
        return { ...write(id, change), isCertain: true };
      } catch (error) {
        if (!(error instanceof ImageServiceError)) throw error;
        return { refused: error, isCertain: true };
      }
    },

    async noteProgress(id, taskId, progress) {
      const image = records.get(id);
      if (image?.lock === taskId) records.set(id, { ...image, progress });
    },

    async delete(id, expect) {
      const last = expected(id, expect);
      records.delete(id);
      return last;
    },
  };
}

/** An image as a table gives it back: locations in their order, store lists as ordered sets. */
function stored(image: Image): Image {
  return {
    ...image,
    locations: image.locations.toSorted((a, b) => a.addedAtMs - b.addedAtMs || byText(a.url, b.url)),
    importingTo: orderedSet(image.importingTo),
    failedImport: orderedSet(image.failedImport),
  };
}

const orderedSet = (stores: readonly string[] | null) => stores && [...new Set(stores)].toSorted(byText);
