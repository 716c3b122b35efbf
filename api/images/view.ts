/** How an image looks on the wire (contract: images.md section 1): the only place that knows its snake_case. */
import type { Config, StoreConfig } from '../../core/config.ts';
import type { Image, Location } from '../../core/images/image.ts';
import { isReserved } from '../../core/images/reserved.ts';
import { wireTime } from '../timestamps.ts';
import type { ImageAnswer, LocationAnswer } from './answers.ts';

export interface ViewOptions {
  readonly config: Pick<Config, 'stores' | 'show_multiple_locations' | 'show_image_direct_url'>;
  /** Admins see where a deactivated image lies; others do not. */
  readonly isAdmin: boolean;
  /** Custom properties that this caller may read; all when absent. */
  readonly properties?: Image['properties'];
}

/** The full representation; every base attribute is present, null when unset. */
export function imageView(image: Image, options: ViewOptions): ImageAnswer {
  return {
    ...propertyViews(options.properties ?? image.properties),
    ...importViews(image),
    ...originViews(image),
    name: image.name,
    disk_format: image.diskFormat,
    container_format: image.containerFormat,
    visibility: image.visibility,
    size: image.size,
    virtual_size: image.virtualSize,
    status: image.status,
    checksum: image.checksum,
    protected: image.protected,
    min_ram: image.minRam,
    min_disk: image.minDisk,
    owner: image.owner,
    os_hidden: image.hidden,
    os_hash_algo: image.hashAlgo,
    os_hash_value: image.hashValue,
    id: image.id,
    created_at: wireTime(image.createdAt),
    updated_at: wireTime(image.updatedAt),
    ...placeViews(image, options),
    tags: image.tags,
    self: `/v2/images/${image.id}`,
    file: `/v2/images/${image.id}/file`,
    schema: '/v2/schemas/image',
  };
}

/** Keys that may be null (schema-image.json); any other null is old data and shown as an empty string. */
const NULLABLE = new Set(['kernel_id', 'ramdisk_id']);

/** What may be stored under a name of the image's own is not shown as if it were that. */
function propertyViews(properties: Image['properties']): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([key]) => !isReserved(key))
      .map(([key, value]) => [key, value === null && !NULLABLE.has(key) ? '' : value]),
  );
}

/** The lock's holder when it is a task: while bytes are uploaded or staged it is the upload, which clients do not see. */
function importTaskOf({ lock, status, staged }: Image): string | undefined {
  const uploading = status === 'saving' || (status === 'uploading' && staged === null);
  return lock === null || uploading ? undefined : lock;
}

/** The os_glance_* keys: comma strings, sorted; the two lists stay once they appeared. */
function importViews(image: Image): Partial<ImageAnswer> {
  const task = importTaskOf(image);
  return {
    ...(task !== undefined && { os_glance_import_task: task }),
    ...(image.importingTo !== null && { os_glance_importing_to_stores: commaList(image.importingTo) }),
    ...(image.failedImport !== null && { os_glance_failed_import: commaList(image.failedImport) }),
    ...(image.progress !== null && {
      os_glance_import_phase: image.progress.phase,
      os_glance_import_percent: String(Math.floor(image.progress.percent)),
      ...(image.progress.etaSeconds !== undefined && {
        os_glance_import_eta_seconds: String(Math.ceil(image.progress.etaSeconds)),
      }),
    }),
  };
}

/** What a conversion made of it: the file that it was before, which its owner cannot ask the image any more. */
function originViews({ origin }: Image): Partial<ImageAnswer> {
  if (origin?.source === undefined) return {};
  const { format, subformat, adapterType } = origin.source;
  return {
    os_glance_source_format: format,
    ...(subformat !== undefined && { os_glance_source_subformat: subformat }),
    ...(adapterType !== undefined && { os_glance_source_adapter_type: adapterType }),
  };
}

function commaList(stores: readonly string[]): string {
  return [...stores].sort().join(',');
}

function placeViews(
  image: Image,
  { config, isAdmin }: ViewOptions,
): Pick<ImageAnswer, 'stores' | 'locations' | 'direct_url'> {
  const veiled = image.status === 'deactivated' && !isAdmin;
  const locations = veiled ? [] : inPreference(image.locations, config.stores);
  const direct = locations.find((location) => location.layout === 'plain');
  return {
    ...(locations.length > 0 && { stores: locations.map((location) => location.store).join(',') }),
    ...(config.show_multiple_locations && {
      locations: (veiled ? [] : image.locations).map(locationView),
    }),
    ...(config.show_image_direct_url && direct !== undefined && { direct_url: direct.url }),
  };
}

/** `{url, metadata}` with the store's id among the metadata. */
export function locationView(location: Location): LocationAnswer {
  return { url: location.url, metadata: { ...location.metadata, store: location.store } };
}

/** Higher weight first; ties by store id, which clients compare with a sorted list. */
function inPreference(locations: readonly Location[], stores: readonly StoreConfig[]): Location[] {
  const weight = new Map(stores.map((store) => [store.id, store.weight]));
  return [...locations].sort(
    (a, b) => (weight.get(b.store) ?? 0) - (weight.get(a.store) ?? 0) || (a.store < b.store ? -1 : 1),
  );
}
