import { type Image, locationId } from './image.ts';
import type { ImageChange } from './repository.ts';

/**
 * What a change makes of a record, as the table does it.
 * @param now ISO time, for `updatedAt`
 * @throws TypeError for a change that adds to and removes from one list of stores
 */
export function applied(image: Image, change: ImageChange, now: string): Image {
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
  return [...byId.values()].sort((a, b) => a.addedAtMs - b.addedAtMs || (a.url < b.url ? -1 : 1));
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
  return [...new Set([...(before ?? []).filter((store) => !remove.includes(store)), ...add])].sort();
}

/** What is undefined is not named. */
export function defined<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
