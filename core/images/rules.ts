/** Rules about the values of an image that hold for create and change alike (contract: images.md sections 1 and 2, quotas). */
import type { Config } from '../config.ts';
import { InvalidInput, LimitExceeded } from '../errors.ts';
import type { Image } from './image.ts';
import { refuseReservedProperty } from './reserved.ts';
import { refuseOddText, refuseUnusableName } from './text.ts';

/** Largest value of min_disk and min_ram. */
const INT32_MAX = 2 ** 31 - 1;
/** Bytes of one property value: the original's text column. */
const VALUE_BYTES = 65_535;
/** Bytes of all properties of an image, keys included (design section 4). */
const PROPERTIES_BYTES = 256 * 1024;

/** @throws InvalidInput for a range, a length or a character that is not allowed; Forbidden for a property with a reserved name */
export function checkValues(
  values: Partial<Pick<Image, 'name' | 'owner' | 'minDisk' | 'minRam' | 'tags' | 'properties'>>,
): void {
  checkRange('min_disk', values.minDisk);
  checkRange('min_ram', values.minRam);
  for (const field of ['name', 'owner'] as const) {
    const text = values[field];
    if (typeof text !== 'string') continue;
    checkLength(field, text);
    refuseOddText(field, text);
  }
  for (const tag of values.tags ?? []) refuseOddText('tags', tag);
  for (const [key, value] of Object.entries(values.properties ?? {})) checkProperty(key, value);
}

function checkRange(name: string, value: number | undefined): void {
  if (value !== undefined && !(value >= 0 && value <= INT32_MAX))
    throw new InvalidInput(`${name}: ${value} is outside 0 to ${INT32_MAX}`);
}

const NAME_LENGTH = 255;

/** @throws InvalidInput for a property key that is empty or too long */
export function checkKey(key: string): void {
  if (key === '') throw new InvalidInput('The name of a property may not be empty.');
  const length = [...key].length;
  if (length > NAME_LENGTH)
    throw new InvalidInput(
      `The name of a property may have ${NAME_LENGTH} characters, ${key.slice(0, 40)}… has ${length}`,
    );
}

function checkLength(field: string, text: string): void {
  const length = [...text].length;
  if (length > NAME_LENGTH)
    throw new InvalidInput(`${field}: ${length} characters, at most ${NAME_LENGTH} are allowed`);
}

function checkProperty(key: string, value: string | null): void {
  checkKey(key);
  refuseUnusableName(key);
  refuseReservedProperty(key);
  refuseOddText('property name', key);
  if (value === null) return;
  refuseOddText(`property ${key}`, value);
  const bytes = Buffer.byteLength(value);
  if (bytes > VALUE_BYTES)
    throw new InvalidInput(`property ${key}: ${bytes} bytes, at most ${VALUE_BYTES} are allowed`);
}

/**
 * The count looks only at changes that add a key: an image above a lowered quota can still be changed or shrunk.
 * @throws LimitExceeded
 */
export function checkPropertyQuota(
  config: Pick<Config, 'image_property_quota'>,
  before: Image['properties'],
  after: Image['properties'],
): void {
  const keys = Object.keys(after);
  const limit = config.image_property_quota;
  const grew = keys.some((key) => !Object.hasOwn(before, key));
  if (grew && limit >= 0 && keys.length > limit)
    throw new LimitExceeded(
      `The limit has been exceeded on the number of allowed image properties. Attempted: ${keys.length}, Maximum: ${limit}`,
    );
  const bytes = keys.reduce((sum, key) => sum + Buffer.byteLength(key) + Buffer.byteLength(after[key] ?? ''), 0);
  if (bytes > PROPERTIES_BYTES)
    throw new LimitExceeded(`The properties of an image may take ${PROPERTIES_BYTES} bytes, these take ${bytes}`);
}

/** @throws LimitExceeded */
export function checkTagQuota(config: Pick<Config, 'image_tag_quota'>, tags: readonly string[]): void {
  const limit = config.image_tag_quota;
  if (limit >= 0 && tags.length > limit)
    throw new LimitExceeded(
      `The limit has been exceeded on the number of allowed image tags. Attempted: ${tags.length}, Maximum: ${limit}`,
    );
}
