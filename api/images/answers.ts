/** Images on the wire (contract: images.md section 1). */
import { z } from 'zod';
import { VISIBILITIES } from '../../core/images/image.ts';
import { IMAGE_STATUSES } from '../../core/images/status.ts';

const text = z.string();
const nullableText = z.string().nullable();
const count = z.number().nullable();

export const LocationAnswer = z.object({ url: text, metadata: z.record(text, z.unknown()).readonly() });
export type LocationAnswer = z.infer<typeof LocationAnswer>;

/** Base attributes; every other key is a custom property, or one of the os_glance_* keys. */
export const ImageAnswer = z.looseObject({
  id: text,
  name: nullableText,
  status: z.enum(IMAGE_STATUSES),
  visibility: z.enum(VISIBILITIES),
  protected: z.boolean(),
  os_hidden: z.boolean(),
  owner: nullableText,
  disk_format: nullableText,
  container_format: nullableText,
  /** MiB, GiB. */
  min_ram: z.number(),
  min_disk: z.number(),
  /** Bytes. */
  size: count,
  virtual_size: count,
  checksum: nullableText,
  os_hash_algo: nullableText,
  os_hash_value: nullableText,
  tags: z.array(text).readonly(),
  created_at: text,
  updated_at: text,
  self: text,
  file: text,
  schema: text,
  /** Store ids, by commas. */
  stores: text.exactOptional(),
  direct_url: text.exactOptional(),
  locations: z.array(LocationAnswer).readonly().exactOptional(),
  os_glance_import_task: text.exactOptional(),
  os_glance_importing_to_stores: text.exactOptional(),
  os_glance_failed_import: text.exactOptional(),
  os_glance_import_phase: text.exactOptional(),
  os_glance_import_percent: text.exactOptional(),
  os_glance_import_eta_seconds: text.exactOptional(),
  os_glance_source_format: text.exactOptional(),
  os_glance_source_subformat: text.exactOptional(),
  os_glance_source_adapter_type: text.exactOptional(),
});
export type ImageAnswer = z.infer<typeof ImageAnswer>;

/** `first` and `next` are relative paths. */
export const PAGE_LINKS = { first: text, next: text.exactOptional(), schema: text };

export const ImagesAnswer = z.object({ images: z.array(ImageAnswer).readonly(), ...PAGE_LINKS });
export const LocationsAnswer = z.array(LocationAnswer).readonly();

/** Where what was made is; which import methods and stores there are. */
export const CreatedHeaders = z.object({
  location: text,
  'openstack-image-import-methods': text.exactOptional(),
  'openstack-image-store-ids': text,
});
