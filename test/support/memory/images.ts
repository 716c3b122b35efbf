import type { Clock } from '../../../core/clock.ts';
import { Conflict } from '../../../core/errors.ts';
import { assertTransition, refusal } from '../../../core/images/expectation.ts';
import { type Image, locationId } from '../../../core/images/image.ts';
import type { ImageChange, ImageRepository } from '../../../core/images/repository.ts';
import { byText, type Records } from './records.ts';

/** Image records by their ids, for the repository and the listing that looks at the same ones. */
export type ImageRecords = Records<Image>;

/** The ImageRepository on a map. A deleted image leaves its id behind. */
export function memoryImages(records: ImageRecords, clock: Clock): ImageRepository {
  const used = new Set<string>(records.values().map(({ id }) => id));

  function expected(id: string, expect: ImageChange['expect']): Image {
    const image = records.get(id);
    if (image === undefined || !isAsExpected(image, expect)) throw refusal(id, image, expect);
    return image;
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

    async change(id, change) {
      assertTransition(change);
      const before = expected(id, change.expect);
      const after = stored(applied(before, change, new Date(clock.now()).toISOString()));
      records.set(id, after);
      return after;
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

function isAsExpected(image: Image, expect: ImageChange['expect']): boolean {
  if (expect?.revision !== undefined && expect.revision !== image.revision) return false;
  if (expect?.status !== undefined && !expect.status.includes(image.status)) return false;
  return expect?.lock === undefined || expect.lock === image.lock;
}

function applied(image: Image, change: ImageChange, now: string): Image {
  return {
    ...image,
    ...defined(change.set ?? {}),
    properties: propertiesAfter(image, change),
    locations: locationsAfter(image, change),
    importingTo: storesAfter('importing_to', image.importingTo, change.importingTo),
    failedImport: storesAfter('failed_import', image.failedImport, change.failedImport),
    ...(change.quiet !== true && { updatedAt: now, revision: image.revision + 1 }),
  };
}

function propertiesAfter(image: Image, { set, mergeProperties = {} }: ImageChange): Image['properties'] {
  const whole = Object.entries(set?.properties ?? image.properties);
  const kept = whole.filter(([key]) => !Object.hasOwn(mergeProperties, key));
  const merged = Object.entries(mergeProperties).filter(([, value]) => value !== null);
  return Object.fromEntries([...kept, ...merged]);
}

function locationsAfter(image: Image, { addLocations = [], removeLocations = [] }: ImageChange): Image['locations'] {
  const byId = new Map(image.locations.map((location) => [locationId(location), location]));
  for (const id of removeLocations) byId.delete(id);
  for (const location of addLocations) byId.set(locationId(location), location);
  return [...byId.values()];
}

function storesAfter(
  name: string,
  before: readonly string[] | null,
  change: ImageChange['importingTo'],
): readonly string[] | null {
  if (change === undefined) return before;
  const { add = [], remove: asked = [] } = change;
  const remove = asked.filter((store) => !add.includes(store));
  if (add.length > 0 && remove.length > 0)
    throw new TypeError(`${name}: a change adds or removes, it cannot do both (${add} and ${remove})`);
  return [...(before ?? []).filter((store) => !remove.includes(store)), ...add];
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

/** What is undefined is not named. */
export function defined<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
