import { RESERVED_PREFIXES } from './keys.ts';

/**
 * True when any reading of a key leads under a prefix of the service's own: what decodes, joins or folds keys between us and the bytes (a
 * proxy, a service that is not AWS's) must not turn somebody's location into another image's bytes, or into bytes on their way in.
 */
export function isReservedKey(key: string): boolean {
  for (let reading = key, turns = 0; ; turns++) {
    const path = `${plainPath(reading)}/`;
    if (RESERVED_PREFIXES.some((prefix) => path.startsWith(prefix))) return true;
    const decoded = reading.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (decoded === reading) return false;
    // Nobody means a key that is encoded this often.
    if (turns === MAX_DECODINGS) return true;
    reading = decoded;
  }
}

const MAX_DECODINGS = 4;

/** Letters in one form and lower case, without what URL parsers drop, a query, and empty and dot segments. */
function plainPath(key: string): string {
  const folded = key
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\p{Cc}\p{Cf}\s]/gu, '');
  const kept: string[] = [];
  for (const segment of folded.split(/[/\\?#;]/)) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  return kept.join('/');
}
