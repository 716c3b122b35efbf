/** Which keys of an image a client may write, and what the others answer (contract: images.md sections 4 and 6). */
import { Forbidden, InvalidInput } from '../../core/errors.ts';
import type { BaseAttribute } from '../../core/images/patch.ts';
import { type Definition, violation } from '../schemas/definition.ts';
import { CUSTOM_DEFINITIONS } from '../schemas/image-properties.ts';

/** Wire names of the attributes that PATCH may set. */
export const WRITABLE = {
  name: 'name',
  visibility: 'visibility',
  protected: 'protected',
  os_hidden: 'hidden',
  owner: 'owner',
  container_format: 'containerFormat',
  disk_format: 'diskFormat',
  tags: 'tags',
  min_ram: 'minRam',
  min_disk: 'minDisk',
} as const satisfies Record<string, BaseAttribute>;

export function isWritable(key: string): key is keyof typeof WRITABLE {
  return Object.hasOwn(WRITABLE, key);
}

export function readOnly(key: string): Forbidden {
  return new Forbidden(`Attribute '${key}' is read-only.`);
}

const ANY_TEXT: Definition = { type: 'string' };

/** Holds a value to the schema of its key. @throws InvalidInput */
export function checkValue(definitions: Readonly<Record<string, Definition>>, key: string, value: unknown): void {
  const own = (table: Readonly<Record<string, Definition>>) => (Object.hasOwn(table, key) ? table[key] : undefined);
  const problem = violation(own(definitions) ?? own(CUSTOM_DEFINITIONS) ?? ANY_TEXT, value);
  if (problem !== undefined)
    throw new InvalidInput(`Provided object does not match schema 'image': ${key}: ${problem}`);
}
