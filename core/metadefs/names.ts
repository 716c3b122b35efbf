import { InvalidInput } from '../errors.ts';

/** Characters of any name, prefix or target (contract: quotas-and-limits.md section 3). */
const NAME_LENGTH = 80;
/** Bytes of one property's or object's definition as JSON. */
export const DEFINITION_BYTES = 64 * 1024;
/** Associations of one namespace: they are part of its record. */
export const ASSOCIATIONS = 80;

/**
 * Names are path segments of the API: what no path can name could never be shown or deleted again.
 * @throws InvalidInput naming the field
 */
export function checkName(field: string, name: string): void {
  const length = [...name].length;
  if (length === 0) throw new InvalidInput(`${field}: a name is needed`);
  if (length > NAME_LENGTH)
    throw new InvalidInput(`${field}: ${length} characters, at most ${NAME_LENGTH} are allowed`);
  if (name.includes('/') || name === '.' || name === '..')
    throw new InvalidInput(`${field}: ${JSON.stringify(name)} cannot be a segment of a path`);
}
