import { z } from 'zod';
import { Forbidden, InvalidInput } from '../../core/errors.ts';
import type { NewImage } from '../../core/images/create.ts';
import type { Image, Visibility } from '../../core/images/image.ts';
import { COMPUTED, DERIVED, refuseReserved } from '../../core/images/reserved.ts';
import { checkKey } from '../../core/images/rules.ts';
import type { Settings } from '../route.ts';
import type { Definition } from '../schemas/definition.ts';
import { baseDefinitions } from '../schemas/image-properties.ts';
import { checkValue, isWritable, readOnly, WRITABLE } from './attributes.ts';

/** What a client may say of a new image; every other key is a custom property. */
export type ImageInput = Readonly<Record<string, unknown>> & {
  readonly id?: string;
  readonly name?: string | null;
  readonly visibility?: Visibility;
  readonly protected?: boolean;
  readonly os_hidden?: boolean;
  readonly owner?: string | null;
  readonly disk_format?: string | null;
  readonly container_format?: string | null;
  readonly min_ram?: number;
  readonly min_disk?: number;
  readonly tags?: readonly string[];
};

/** Body of POST /v2/images. @throws as `parseCreate` */
export const ImageCreate = (settings: Settings) => {
  const definitions = baseDefinitions(settings);
  return z.custom<ImageInput>().transform((body) => parseCreate(body, definitions));
};

/**
 * The body of POST /v2/images (contract: images.md section 4, the first four checks of its table).
 * @throws Forbidden for read-only and reserved keys, InvalidInput for everything the schema refuses
 */
export function parseCreate(body: unknown, definitions: Readonly<Record<string, Definition>>): NewImage {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new InvalidInput("Provided object does not match schema 'image': an object is expected.");
  const entries = Object.entries(body);
  const derived = entries.find(([key]) => DERIVED.has(key));
  if (derived !== undefined) throw readOnly(derived[0]);
  for (const [key, value] of entries) checkValue(definitions, key, value);
  for (const [key] of entries) checkKey(key);
  for (const [key] of entries) {
    refuseReserved(key);
    if (key === 'locations') throw new Forbidden(`Attribute '${key}' is reserved.`);
  }
  const custom = entries.filter(([key]) => !isWritable(key) && !COMPUTED.has(key) && key !== 'id');
  const base = entries.filter(([key]) => isWritable(key)).map(([key, value]) => [wireless(key), value]);
  return {
    // `checkValue` held every value to the definition of its key (api/schemas/image-properties.ts), which is of the attribute's type for
    // what is writable, and text, or null where a definition says so, for every other key (`ANY_TEXT`, `CUSTOM_DEFINITIONS`).
    ...(Object.fromEntries(base) as Partial<Image> & { visibility?: Visibility }),
    ...('id' in body && { id: String(body.id) }),
    properties: Object.fromEntries(custom) as Image['properties'],
    computed: entries.map(([key]) => key).filter((key) => COMPUTED.has(key)),
  };
}

function wireless(key: string): string {
  return isWritable(key) ? WRITABLE[key] : key;
}
