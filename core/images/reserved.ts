/**
 * Names that an image shows by itself: no custom property may have one, whichever way it comes, and none is shown under one
 * (contract: images.md sections 1, 4 and 6).
 */
import { Forbidden } from '../errors.ts';

/** Links and places. */
export const DERIVED: ReadonlySet<string> = new Set(['direct_url', 'self', 'file', 'schema', 'stores']);
/** What the service computes. */
export const COMPUTED: ReadonlySet<string> = new Set([
  'created_at',
  'updated_at',
  'status',
  'checksum',
  'size',
  'virtual_size',
  'os_hash_algo',
  'os_hash_value',
]);
/** What the service keeps to itself. */
const KEPT: ReadonlySet<string> = new Set(['location', 'deleted', 'deleted_at']);
const OWN_PREFIX = 'os_glance';
/** Attributes with a meaning of their own, which are no properties. */
const BASE: ReadonlySet<string> = new Set([
  'id',
  'name',
  'visibility',
  'protected',
  'os_hidden',
  'owner',
  'container_format',
  'disk_format',
  'tags',
  'min_ram',
  'min_disk',
  'locations',
]);

const reserved = (key: string): Forbidden => new Forbidden(`Attribute '${key}' is reserved.`);

/** @throws Forbidden for keys that the service keeps to itself */
export function refuseReserved(key: string): void {
  if (KEPT.has(key) || key.startsWith(OWN_PREFIX)) throw reserved(key);
}

/** True for a name that no custom property may have. */
export function isReserved(key: string): boolean {
  return [DERIVED, COMPUTED, KEPT, BASE].some((names) => names.has(key)) || key.startsWith(OWN_PREFIX);
}

/** @throws Forbidden */
export function refuseReservedProperty(key: string): void {
  if (isReserved(key)) throw reserved(key);
}
