import { createHash } from 'node:crypto';

/** Namespace of ids made from names (random, fixed for ever). */
const NAMESPACE = Buffer.from('6d1f1c0b5b3d4a7e9a52c6f0e1d2b384', 'hex');

/** A name-based UUID (RFC 9562 section 5.5, version 5): the same text always gives the same id. */
export function nameId(text: string): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(text).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
