import { type Image, type Location, locationId, type StagedData, type Visibility } from '../../core/images/image.ts';
import type { ImageChange } from '../../core/images/repository.ts';
import type { ImageStatus } from '../../core/images/status.ts';
import { byCreated, byName, imageKey, ownerPartition, visibilityPartition, visibilityShard } from './keys.ts';

/** How an image lies in the table. Null attributes are left out; `deleted_at` marks an id that is used up. */
export type ImageItem = Readonly<Record<string, unknown>>;

type Column = keyof NonNullable<ImageChange['set']>;

/** Attribute names of what a change may set; the wire's words where the wire has one. */
export const COLUMNS = {
  name: 'name',
  status: 'status',
  visibility: 'visibility',
  protected: 'protected',
  hidden: 'os_hidden',
  owner: 'owner',
  diskFormat: 'disk_format',
  containerFormat: 'container_format',
  minRam: 'min_ram',
  minDisk: 'min_disk',
  size: 'size',
  virtualSize: 'virtual_size',
  checksum: 'checksum',
  hashAlgo: 'os_hash_algo',
  hashValue: 'os_hash_value',
  tags: 'tags',
  properties: 'properties',
  staged: 'staged',
  lock: 'lock',
  progress: 'progress',
  origin: 'origin',
  signature: 'signature',
} as const satisfies Record<Column, string>;

const COLUMN_LIST = Object.entries(COLUMNS) as [Column, string][];

/** The two store lists: string sets that DynamoDB cannot keep empty, each with a mark that the list was named once. */
export const STORE_LISTS = {
  importingTo: { set: 'importing_to', named: 'importing_to_named' },
  failedImport: { set: 'failed_import', named: 'failed_import_named' },
} as const;

/** Index keys that follow from owner and visibility (partitions) and from name and creation (order). */
export function ownerIndexKeys(owner: string | null): { gsi1pk: string; gsi2pk: string } | undefined {
  return owner === null ? undefined : { gsi1pk: ownerPartition(owner), gsi2pk: ownerPartition(owner) };
}
export function visibilityIndexKeys(
  id: string,
  visibility: string,
  shards: number,
): { gsi3pk: string; gsi4pk: string } {
  const partition = visibilityPartition(visibility, visibilityShard(id, shards));
  return { gsi3pk: partition, gsi4pk: partition };
}
export function nameIndexKeys(image: Pick<Image, 'name' | 'createdAt' | 'id'>): { gsi2sk: string; gsi4sk: string } {
  const order = byName(image.name, image.createdAt, image.id);
  return { gsi2sk: order, gsi4sk: order };
}

/** The whole item of an image. `shards` is the number of visibility shards. */
export function itemOf(image: Image, shards: number): Record<string, unknown> {
  const created = byCreated(image.createdAt, image.id);
  const columns = COLUMN_LIST.filter(([key]) => image[key] !== null).map(([key, attribute]) => [attribute, image[key]]);
  return {
    ...imageKey(image.id),
    id: image.id,
    ...Object.fromEntries(columns),
    locations: Object.fromEntries(image.locations.map((location) => [locationId(location), location])),
    ...storeList('importingTo', image.importingTo),
    ...storeList('failedImport', image.failedImport),
    created_at: image.createdAt,
    updated_at: image.updatedAt,
    revision: image.revision,
    gsi1sk: created,
    gsi3sk: created,
    ...ownerIndexKeys(image.owner),
    ...visibilityIndexKeys(image.id, image.visibility, shards),
    ...nameIndexKeys(image),
  };
}

/** An attribute; null where the item has none, as images have it. */
const orNull = <T>(item: ImageItem, name: string): T | null => (item[name] as T | undefined) ?? null;

/** The image of an item; undefined for a missing item and for the mark of a deleted one. */
export function imageOf(item: ImageItem | undefined): Image | undefined {
  if (item === undefined || item['deleted_at'] !== undefined) return undefined;
  return {
    id: item['id'] as string,
    name: orNull<string>(item, 'name'),
    status: item['status'] as ImageStatus,
    visibility: item['visibility'] as Visibility,
    protected: item['protected'] as boolean,
    hidden: item['os_hidden'] as boolean,
    owner: orNull<string>(item, 'owner'),
    diskFormat: orNull<string>(item, 'disk_format'),
    containerFormat: orNull<string>(item, 'container_format'),
    minRam: item['min_ram'] as number,
    minDisk: item['min_disk'] as number,
    size: orNull<number>(item, 'size'),
    virtualSize: orNull<number>(item, 'virtual_size'),
    checksum: orNull<string>(item, 'checksum'),
    hashAlgo: orNull<string>(item, 'os_hash_algo'),
    hashValue: orNull<string>(item, 'os_hash_value'),
    tags: item['tags'] as readonly string[],
    properties: item['properties'] as Image['properties'],
    locations: locationsOf(item['locations'] as Readonly<Record<string, Location>>),
    staged: orNull<StagedData>(item, 'staged'),
    lock: orNull<string>(item, 'lock'),
    importingTo: storeListOf(item, 'importingTo'),
    failedImport: storeListOf(item, 'failedImport'),
    progress: orNull<Image['progress']>(item, 'progress'),
    origin: orNull<Image['origin']>(item, 'origin'),
    signature: orNull<Image['signature']>(item, 'signature'),
    createdAt: item['created_at'] as string,
    updatedAt: item['updated_at'] as string,
    revision: item['revision'] as number,
  };
}

function locationsOf(map: Readonly<Record<string, Location>>): Location[] {
  return Object.values(map).sort((a, b) => a.addedAtMs - b.addedAtMs || (a.url < b.url ? -1 : 1));
}

function storeList(list: keyof typeof STORE_LISTS, stores: readonly string[] | null): Record<string, unknown> {
  if (stores === null) return {};
  const { set, named } = STORE_LISTS[list];
  return { [named]: true, ...(stores.length > 0 && { [set]: new Set(stores) }) };
}

function storeListOf(item: ImageItem, list: keyof typeof STORE_LISTS): string[] | null {
  const { set, named } = STORE_LISTS[list];
  if (item[named] !== true) return null;
  return [...((item[set] as Set<string> | undefined) ?? [])].sort();
}
