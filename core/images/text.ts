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
