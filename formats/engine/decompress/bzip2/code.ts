import { Corrupt } from '../../errors.ts';
import type { BitReader } from './bits.ts';

/** The longest code that the format has. */
export const MAX_CODE_BITS = 20;
/** Codes up to this length are found in one step. */
const FAST_BITS = 10;
/** Bits of a symbol's length in an entry of the fast table. */
const LENGTH_BITS = 5;

/** A canonical Huffman code, by the lengths of its symbols' codes (RFC 1951 section 3.2.2 has the rule). */
export interface PrefixCode {
  /** Symbol and length for each beginning of a code; 0 where it is longer or there is none. */
  readonly fast: Uint16Array;
  /** By length: codes of that length are below it. */
  readonly limit: Int32Array;
  /** By length: what a code lacks to be the index of its symbol. */
  readonly base: Int32Array;
  /** Symbols by code. */
  readonly symbols: Uint16Array;
}

/** @param lengths bits of each symbol's code, 1 to 20 @throws Corrupt when there are more codes than bits can tell apart */
export function prefixCode(lengths: Uint8Array): PrefixCode {
  const counts = new Int32Array(MAX_CODE_BITS + 1);
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
  const limit = new Int32Array(MAX_CODE_BITS + 1);
  const base = new Int32Array(MAX_CODE_BITS + 1);
  const symbols = new Uint16Array(lengths.length);
  const fast = new Uint16Array(1 << FAST_BITS);
  let code = 0;
  let index = 0;
  for (let length = 1; length <= MAX_CODE_BITS; length++) {
    base[length] = index - code;
    for (const [symbol, own] of lengths.entries()) {
      if (own !== length) continue;
      symbols[index++] = symbol;
      if (length <= FAST_BITS) {
        const shift = FAST_BITS - length;
        fast.fill((symbol << LENGTH_BITS) | length, code << shift, (code + 1) << shift);
      }
      code++;
    }
    if (code > 1 << length) throw new Corrupt('bzip2: a coding table has more codes than there can be');
    limit[length] = code;
    code <<= 1;
  }
  return { fast, limit, base, symbols };
}

/** Takes the next symbol. @throws Corrupt when no code begins so, Truncated */
export function nextSymbol(bits: BitReader, { fast, limit, base, symbols }: PrefixCode): number {
  const ahead = bits.peek(MAX_CODE_BITS);
  const entry = fast[ahead >> (MAX_CODE_BITS - FAST_BITS)] ?? 0;
  if (entry !== 0) {
    bits.drop(entry & ((1 << LENGTH_BITS) - 1));
    return entry >> LENGTH_BITS;
  }
  for (let length = FAST_BITS + 1; length <= MAX_CODE_BITS; length++) {
    const code = ahead >> (MAX_CODE_BITS - length);
    if (code >= (limit[length] ?? 0)) continue;
    bits.drop(length);
    return symbols[code + (base[length] ?? 0)] ?? 0;
  }
  bits.drop(MAX_CODE_BITS);
  throw new Corrupt('bzip2: bits that are no code');
}
