import { Corrupt } from '../../errors.ts';
import type { BitReader } from './bits.ts';
import { MAX_CODE_BITS, nextSymbol, type PrefixCode, prefixCode } from './code.ts';
import { randomisedBytes } from './randomised.ts';

/** Symbols coded by one table before the next selector counts. */
const GROUP_SYMBOLS = 50;
/** Selectors for the longest block; more are passed over, as bzip2 does (lbzip2 writes some). */
const MAX_SELECTORS = 18_002;
/** A run of a block's length has 20 digits. */
const MAX_RUN = 2 * 1024 * 1024;
/** Steps between the lengths of two codes: writers take the straight way, which is 19 at most. */
const MAX_STEPS = 40;
const MIN_TABLES = 2;
const MAX_TABLES = 6;

/** Most bytes of the stream that a block takes: each of its bytes a code of 20 bits, and the tables, rounded up generously. */
export const MAX_PACKED_BLOCK = (900_000 * MAX_CODE_BITS) / 8 + 256 * 1024;

/** A block before its runs are expanded: byte `n` of `links` is in its low 8 bits, where it continues in the rest. */
export interface Block {
  readonly length: number;
  /** Entry of the first byte. */
  readonly first: number;
  /** Changes the lowest bit of bytes; undefined in all but the oldest files. */
  readonly randomised: Iterator<number> | undefined;
}

/**
 * Reads a block, its magic and checksum taken before, and turns the Burrows-Wheeler transform back.
 * @param links room for as many bytes as the stream's blocks have
 * @throws Corrupt, Truncated
 */
export function readBlock(bits: BitReader, links: Uint32Array): Block {
  const isRandomised = bits.take(1) === 1;
  const origin = bits.take(24);
  const used = usedBytes(bits);
  const tables = bits.take(3);
  if (tables < MIN_TABLES || tables > MAX_TABLES) throw new Corrupt(`bzip2: a block with ${tables} coding tables`);
  const selectors = readSelectors(bits, tables);
  const codes = Array.from({ length: tables }, () => readCode(bits, used.length + 2));
  const counts = new Uint32Array(256);
  const length = readBytes(bits, { used, selectors, codes }, links, counts);
  if (origin >= length) throw new Corrupt(`bzip2: the first of ${length} bytes of a block is byte ${origin}`);
  link(links.subarray(0, length), counts);
  const randomised = isRandomised ? randomisedBytes(length) : undefined;
  return { length, first: (links[origin] ?? 0) >>> 8, randomised };
}

/** The bytes that occur, ascending: a bit for each 16, and 16 bits for each of those that is set. @throws Corrupt when there is none */
function usedBytes(bits: BitReader): Uint8Array {
  const groups = bits.take(16);
  const used: number[] = [];
  for (let group = 0; group < 16; group++) {
    if ((groups & (0x8000 >> group)) === 0) continue;
    const members = bits.take(16);
    for (let member = 0; member < 16; member++) {
      if ((members & (0x8000 >> member)) !== 0) used.push(group * 16 + member);
    }
  }
  if (used.length === 0) throw new Corrupt('bzip2: a block in which no byte occurs');
  return Uint8Array.from(used);
}

/** The table of each group of symbols, written as its place in a list that brings the last one to its front. */
function readSelectors(bits: BitReader, tables: number): Uint8Array {
  const count = bits.take(15);
  if (count === 0) throw new Corrupt('bzip2: a block without selectors');
  const order = Array.from({ length: tables }, (_, n) => n);
  const selectors = new Uint8Array(Math.min(count, MAX_SELECTORS));
  for (let n = 0; n < count; n++) {
    let place = 0;
    while (bits.take(1) === 1) {
      if (++place >= tables) throw new Corrupt(`bzip2: a selector of table ${place} of ${tables}`);
    }
    const [table = 0] = order.splice(place, 1);
    order.unshift(table);
    if (n < selectors.length) selectors[n] = table;
  }
  return selectors;
}

/** A coding table: the length of the first code, and of each further one the steps from the one before. */
function readCode(bits: BitReader, symbols: number): PrefixCode {
  const lengths = new Uint8Array(symbols);
  let length = bits.take(5);
  for (let symbol = 0; symbol < symbols; symbol++) {
    for (let step = 0; bits.take(1) === 1; step++) {
      if (step >= MAX_STEPS) throw new Corrupt('bzip2: a coding table that takes a detour');
      length += bits.take(1) === 1 ? -1 : 1;
    }
    if (length < 1 || length > MAX_CODE_BITS) throw new Corrupt(`bzip2: a code of ${length} bits`);
    lengths[symbol] = length;
  }
  return prefixCode(lengths);
}

interface Coding {
  readonly used: Uint8Array;
  readonly selectors: Uint8Array;
  readonly codes: readonly PrefixCode[];
}

/** Symbols 0 and 1 are digits of a run's length. */
const RUN_B = 1;

/**
 * Decodes the symbols of a block: runs of the front of a list, or the place in it of a byte that comes to the front.
 * @returns how many bytes were put into `links`; `counts` has how often each occurs
 */
function readBytes(bits: BitReader, coding: Coding, links: Uint32Array, counts: Uint32Array): number {
  const order = coding.used.slice();
  const end = order.length + 1;
  const symbols = symbolsOf(bits, coding);
  let length = 0;
  const put = (byte: number, count: number): void => {
    if (count > links.length - length) throw tooLong(links);
    for (let n = 0; n < count; n++) links[length++] = byte;
    counts[byte] = (counts[byte] ?? 0) + count;
  };
  let run = 0;
  let digit = 1;
  for (;;) {
    const symbol = symbols();
    if (symbol <= RUN_B) {
      if (digit >= MAX_RUN) throw new Corrupt('bzip2: a run that is longer than a block');
      run += digit << symbol;
      digit *= 2;
      continue;
    }
    put(order[0] ?? 0, run);
    run = 0;
    digit = 1;
    if (symbol === end) return length;
    put(toFront(order, symbol - 1), 1);
  }
}

/** Brings the byte at a place of the list to its front. */
function toFront(order: Uint8Array, place: number): number {
  const byte = order[place] ?? 0;
  order.copyWithin(1, 0, place);
  order[0] = byte;
  return byte;
}

const tooLong = (links: Uint32Array): Corrupt =>
  new Corrupt(`bzip2: a block of more than the ${links.length} bytes that the stream's blocks have`);

/** A function that gives the next symbol, each group of 50 by the code of its selector. */
function symbolsOf(bits: BitReader, { selectors, codes }: Coding): () => number {
  let group = 0;
  let left = 0;
  let code: PrefixCode | undefined;
  return () => {
    if (left === 0) {
      code = codes[selectors[group++] ?? codes.length];
      left = GROUP_SYMBOLS;
    }
    if (code === undefined) throw new Corrupt('bzip2: a block with more symbols than its selectors are for');
    left--;
    return nextSymbol(bits, code);
  };
}

/** The inverse transform: into the upper bits of the entry that a byte sorts to goes where it stands. */
function link(links: Uint32Array, counts: Uint32Array): void {
  let sum = 0;
  for (let byte = 0; byte < 256; byte++) {
    const count = counts[byte] ?? 0;
    counts[byte] = sum;
    sum += count;
  }
  for (let at = 0; at < links.length; at++) {
    const byte = (links[at] ?? 0) & 0xff;
    const to = counts[byte] ?? 0;
    counts[byte] = to + 1;
    links[to] = ((links[to] ?? 0) & 0xff) | (at << 8);
  }
}
