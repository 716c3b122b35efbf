/** The old way to manage locations: PATCH /locations (contract: images.md section 9.1). Only where `show_multiple_locations`. */

import type { WithClock } from '../clock.ts';
import type { WithConfig } from '../config.ts';
import { Conflict, Forbidden, InvalidInput, LimitExceeded } from '../errors.ts';
import { shownUri } from '../shown-url.ts';
import type { Draft } from './draft.ts';
import { type Image, type Location, locationId } from './image.ts';
import type { FoundLocation, WithLocations } from './locations.ts';

/** A location as a client gives it. */
export interface LocationInput {
  readonly url: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly validation?: { readonly checksum?: string; readonly hashAlgo: string; readonly hashValue: string };
}

/** `at` is a position, 0-based, or the end; `values` are the locations of add (one) and replace. */
export interface LocationChange {
  readonly kind: 'locations';
  readonly op: 'add' | 'replace' | 'remove';
  readonly strict: boolean;
  readonly name: string;
  readonly at?: number | 'end';
  readonly values?: readonly LocationInput[];
}

type LocationDeps = WithConfig & WithClock & WithLocations;

const HASH_HEX_LENGTH = { sha256: 64, sha384: 96, sha512: 128 } as const;
const MD5 = /^[0-9a-f]{32}$/i;
/** Bytes of what a client says of one location, as JSON: ten of them have room in a record. */
const METADATA_BYTES = 4_096;

/** @throws Conflict, InvalidInput, LimitExceeded */
export async function addLocations(deps: LocationDeps, draft: Draft, change: LocationChange): Promise<void> {
  requireStatus(draft.image, ['active', 'queued']);
  const added: Location[] = [];
  for (const input of change.values ?? []) {
    checkMetadata(input);
    checkValidation(deps, draft.image, input);
    const location = await locationFor(deps, draft.image, input, added.length);
    if ([...draft.image.locations, ...added].some((known) => sameLocation(known, location)))
      throw new InvalidInput(`Invalid location: ${shownUri(input.url)} is a location of the image already`);
    added.push(location);
    takeLocation(draft, input, location);
  }
  checkLocationQuota(deps, draft.image);
}

/** Only metadata of the same URLs may change, except on a queued image, which the first locations activate. */
export async function replaceLocations(deps: LocationDeps, draft: Draft, change: LocationChange): Promise<void> {
  const values = change.values ?? [];
  if (values.length === 0) throw new Forbidden('Cannot replace locations with an empty list.');
  requireStatus(draft.image, ['active', 'queued']);
  if (draft.image.locations.length === 0) return addLocations(deps, draft, change);
  const known = new Map(draft.image.locations.map((location) => [location.url, location]));
  if (values.length !== known.size || values.some(({ url }) => !known.has(url)))
    throw new InvalidInput('Locations may be replaced by the same URLs only: metadata can change, places cannot.');
  for (const input of values) {
    checkMetadata(input);
    checkValidation(deps, draft.image, input);
    const location = known.get(input.url);
    if (location !== undefined) putLocation(draft, { ...location, metadata: input.metadata });
  }
}

export function removeLocation(draft: Draft, { at = 'end' }: LocationChange): void {
  requireStatus(draft.image, ['active']);
  const { locations } = draft.image;
  if (locations.length === 1) throw new Forbidden('Cannot remove the last location of an image.');
  const removed = at === 'end' ? locations.at(-1) : locations[at];
  if (removed === undefined)
    throw new InvalidInput(`Invalid position ${at}: the image has ${locations.length} locations.`);
  draft.image = { ...draft.image, locations: locations.filter((location) => location !== removed) };
  draft.extra.removeLocations = [...(draft.extra.removeLocations ?? []), locationId(removed)];
}

function requireStatus(image: Image, allowed: readonly Image['status'][]): void {
  if (!allowed.includes(image.status))
    throw new Conflict(`It's not allowed to change locations while image status is ${image.status}.`);
}

/** @throws LimitExceeded */
function checkMetadata({ metadata }: LocationInput): void {
  const bytes = Buffer.byteLength(JSON.stringify(metadata));
  if (bytes > METADATA_BYTES)
    throw new LimitExceeded(`The metadata of a location may take ${METADATA_BYTES} bytes, these take ${bytes}`);
}

function checkValidation({ config }: WithConfig, image: Image, { validation }: LocationInput): void {
  if (validation === undefined) return;
  const { checksum, hashAlgo, hashValue } = validation;
  if (image.status !== 'queued') {
    const same =
      hashAlgo === image.hashAlgo && hashValue === image.hashValue && (checksum ?? image.checksum) === image.checksum;
    if (!same) throw new Conflict('New locations may only be validated while the image is queued.');
    return;
  }
  if (hashAlgo !== config.hashing_algorithm)
    throw new Conflict(`os_hash_algo must be ${config.hashing_algorithm}, not ${hashAlgo}`);
  const length = HASH_HEX_LENGTH[config.hashing_algorithm];
  if (hashValue.length !== length || !/^[0-9a-f]+$/i.test(hashValue))
    throw new Conflict(`os_hash_value is not a hexadecimal ${hashAlgo} of ${length} digits`);
  // It is a header of every download.
  if (checksum !== undefined && !MD5.test(checksum)) throw new Conflict('checksum is not 32 hexadecimal digits');
  if (image.checksum !== null && checksum !== undefined && checksum !== image.checksum)
    throw new Conflict('checksum contradicts that of another location');
}

async function locationFor(deps: LocationDeps, image: Image, input: LocationInput, nth: number): Promise<Location> {
  const found: FoundLocation | undefined = await deps.locations.find(input.url);
  if (found === undefined) throw new InvalidInput(`Invalid location ${shownUri(input.url)}`);
  if (image.status === 'queued' && (image.diskFormat === null || image.containerFormat === null))
    throw new InvalidInput('Properties disk_format, container_format must be set prior to saving data.');
  return {
    store: found.store,
    layout: 'plain',
    storedBytes: found.size,
    url: input.url,
    metadata: input.metadata,
    addedAtMs: deps.clock.now() + nth,
  };
}

function sameLocation(a: Location, b: Location): boolean {
  return a.url === b.url && JSON.stringify(a.metadata) === JSON.stringify(b.metadata);
}

/** Puts a location onto the draft; the first one activates a queued image with the size the store reports. */
function takeLocation(draft: Draft, input: LocationInput, location: Location): void {
  putLocation(draft, location);
  if (draft.image.status !== 'queued') return;
  const { validation } = input;
  const activated = {
    status: 'active',
    size: location.storedBytes,
    checksum: validation?.checksum ?? null,
    hashAlgo: validation?.hashAlgo ?? null,
    hashValue: validation?.hashValue ?? null,
  } as const;
  draft.image = { ...draft.image, ...activated };
  draft.extra.set = { ...draft.extra.set, ...activated };
}

function putLocation(draft: Draft, location: Location): void {
  const id = locationId(location);
  const others = draft.image.locations.filter((known) => locationId(known) !== id);
  draft.image = { ...draft.image, locations: [...others, location] };
  draft.extra.addLocations = [
    ...(draft.extra.addLocations ?? []).filter((known) => locationId(known) !== id),
    location,
  ];
}

function checkLocationQuota({ config }: WithConfig, image: Image): void {
  const limit = config.image_location_quota;
  if (limit >= 0 && image.locations.length > limit)
    throw new LimitExceeded(
      `The limit has been exceeded on the number of allowed image locations. Attempted: ${image.locations.length}, Maximum: ${limit}`,
    );
}
