import { InvalidInput } from '../errors.ts';

const BEYOND_BMP = /[\u{10000}-\u{10ffff}\ud800-\udfff]/u;

/** True for a text that `refuseOddText` refuses. */
export const isOddText = (text: string): boolean => BEYOND_BMP.test(text) || text.includes('\u0000');

/**
 * Names, tags, property keys and values hold characters of the basic plane only, and no NUL (contract: quotas-and-limits.md
 * section 3).
 * @throws InvalidInput naming the field
 */
export function refuseOddText(field: string, text: string): void {
  if (BEYOND_BMP.test(text))
    throw new InvalidInput(`${field}: characters of more than three UTF-8 bytes are not allowed`);
  if (text.includes('\u0000')) throw new InvalidInput(`${field}: the character NUL is not allowed`);
}

/** Names that objects have of themselves and that no map of the table's client can hold under their own name (aws-sdk-js-v3 #1861). */
const UNUSABLE = new Set(['__proto__', 'constructor']);

/** True for a name that `refuseUnusableName` refuses. */
export const isUnusableName = (name: string): boolean => UNUSABLE.has(name);

/** @throws InvalidInput for a name that cannot be the key of anything */
export function refuseUnusableName(name: string): void {
  if (isUnusableName(name)) throw new InvalidInput(`'${name}' cannot be the name of anything`);
}
