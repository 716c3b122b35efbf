/**
 * DEFLATE (RFC 1951) into memory of known length, for platforms without a decoder that answers at once: canonical codes read
 * bit by bit, after Mark Adler's puff. It accepts and refuses what zlib does.
 */
import type { Codecs } from '../../engine/codecs.ts';
import { Corrupt } from '../../engine/errors.ts';

export const inflateUpTo: Codecs['inflateUpTo'] = (kind, input, target) => {
  if (kind === 'zlib') checkZlibHeader(input);
  const stream = new Inflater(kind === 'zlib' ? input.subarray(2) : input, target);
  try {
    stream.run();
    if (kind === 'zlib') checkAdler(stream.rest(), target.subarray(0, stream.length));
  } catch (error) {
    // The stream is cut off: what came before counts.
    if (error !== END) throw error;
  }
  return stream.length;
};

/** RFC 1950 section 2.2: deflate, a window that exists, no dictionary. Less than a header is a stream cut off. */
function checkZlibHeader(input: Uint8Array): void {
  const [method, flags] = input;
  if (method === undefined || flags === undefined) return;
  const isRight =
    (method & 0x0f) === 8 && method >> 4 <= 7 && (flags & 0x20) === 0 && (method * 256 + flags) % 31 === 0;
  if (!isRight) throw new Corrupt('compressed block: incorrect header check');
}

/** RFC 1950 section 2.2; a checksum that is cut off is not looked at. */
function checkAdler(trailer: Uint8Array, bytes: Uint8Array): void {
  if (trailer.length < 4) return;
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  const stored = new DataView(trailer.buffer, trailer.byteOffset).getUint32(0);
  if (stored !== b * 0x1_0000 + a) throw new Corrupt('compressed block: incorrect data check');
}

/** Thrown where the input ends within the stream. */
const END = Symbol('the stream is cut off');

const MAX_BITS = 15;
const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12_289, 16_385, 24_577,
];
const DISTANCE_EXTRA = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
/** Order in which the lengths of code length codes are stored (RFC 1951 section 3.2.7). */
const LENGTHS_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** A canonical code: how many symbols have each length, and the symbols in the order of their codes. */
interface Code {
  readonly counts: Uint16Array;
  readonly symbols: Uint16Array;
}

/**
 * @param lengths of the symbols' codes, 0 for none
 * @throws Corrupt for more codes than fit; for fewer, unless there is one of a single bit, or none, and `partial` lets that be
 */
function codeOf(lengths: readonly number[], what: string, partial: boolean): Code {
  const counts = new Uint16Array(MAX_BITS + 1);
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
  const used = lengths.length - (counts[0] ?? 0);
  const left = unusedCodes(counts);
  const mayBePartial = partial && (used === 0 || (used === 1 && counts[1] === 1));
  if (left < 0 || (left > 0 && !mayBePartial)) throw new Corrupt(`compressed block: invalid ${what} set`);
  return { counts, symbols: sortedSymbols(lengths, counts, used) };
}

/** Codes of the greatest length that no symbol has; negative when there are more symbols than codes. */
function unusedCodes(counts: Uint16Array): number {
  let left = 1;
  for (let bits = 1; bits <= MAX_BITS && left >= 0; bits++) left = left * 2 - (counts[bits] ?? 0);
  return left;
}

function sortedSymbols(lengths: readonly number[], counts: Uint16Array, used: number): Uint16Array {
  const next = new Uint16Array(MAX_BITS + 2);
  for (let bits = 1; bits <= MAX_BITS; bits++) next[bits + 1] = (next[bits] ?? 0) + (counts[bits] ?? 0);
  const symbols = new Uint16Array(used);
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue;
    const at = next[length] ?? 0;
    symbols[at] = symbol;
    next[length] = at + 1;
  }
  return symbols;
}

const FIXED_LENGTHS = Array.from({ length: 288 }, (_, symbol) => {
  if (symbol < 144) return 8;
  if (symbol < 256) return 9;
  return symbol < 280 ? 7 : 8;
});
const FIXED = {
  literals: codeOf(FIXED_LENGTHS, 'literal/lengths', false),
  distances: codeOf(new Array<number>(32).fill(5), 'distances', false),
};

/** One stream on its way into one target. */
class Inflater {
  readonly #input: Uint8Array;
  readonly #target: Uint8Array;
  #at = 0;
  #bits = 0;
  #bitCount = 0;
  /** Bytes that came out. */
  length = 0;

  constructor(input: Uint8Array, target: Uint8Array) {
    this.#input = input;
    this.#target = target;
  }

  /** Decodes every block. @throws END, Corrupt */
  run(): void {
    for (let last = false; !last; ) {
      last = this.#take(1) === 1;
      const type = this.#take(2);
      if (type === 0) this.#stored();
      else if (type === 1) this.#coded(FIXED.literals, FIXED.distances);
      else if (type === 2) this.#dynamic();
      else throw new Corrupt('compressed block: invalid block type');
    }
  }

  /** What stands behind the stream; whole bytes. */
  rest(): Uint8Array {
    return this.#input.subarray(this.#at);
  }

  #take(count: number): number {
    while (this.#bitCount < count) {
      const byte = this.#input[this.#at];
      if (byte === undefined) throw END;
      this.#bits |= byte << this.#bitCount;
      this.#bitCount += 8;
      this.#at++;
    }
    const value = this.#bits & ((1 << count) - 1);
    this.#bits >>>= count;
    this.#bitCount -= count;
    return value;
  }

  #symbol({ counts, symbols }: Code): number {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let bits = 1; bits <= MAX_BITS; bits++) {
      code |= this.#take(1);
      const count = counts[bits] ?? 0;
      if (code - count < first) return symbols[index + (code - first)] ?? 0;
      index += count;
      // A code of one symbol, or none: no longer one can follow.
      if (index === symbols.length) break;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new Corrupt('compressed block: invalid code');
  }

  #put(byte: number): void {
    if (this.length >= this.#target.length) {
      throw new Corrupt(`compressed block: more than ${this.#target.length} bytes came out`);
    }
    this.#target[this.length++] = byte;
  }

  #stored(): void {
    this.#bits = 0;
    this.#bitCount = 0;
    const length = this.#take(16);
    if (this.#take(16) !== (length ^ 0xffff)) throw new Corrupt('compressed block: invalid stored block lengths');
    for (let left = length; left > 0; left--) this.#put(this.#take(8));
  }

  #dynamic(): void {
    const literalCount = this.#take(5) + 257;
    const distanceCount = this.#take(5) + 1;
    const lengthCount = this.#take(4) + 4;
    if (literalCount > 286 || distanceCount > 30) {
      throw new Corrupt('compressed block: too many length or distance symbols');
    }
    const codeLengths = new Array<number>(19).fill(0);
    for (const symbol of LENGTHS_ORDER.slice(0, lengthCount)) codeLengths[symbol] = this.#take(3);
    const lengths = this.#lengths(codeOf(codeLengths, 'code lengths', false), literalCount + distanceCount);
    if (lengths[256] === 0) throw new Corrupt('compressed block: invalid code -- missing end-of-block');
    const literals = codeOf(lengths.slice(0, literalCount), 'literal/lengths', true);
    const distances = codeOf(lengths.slice(literalCount), 'distances', true);
    this.#coded(literals, distances);
  }

  /** Run-length coded lengths of both codes (RFC 1951 section 3.2.7). */
  #lengths(code: Code, count: number): number[] {
    const lengths: number[] = [];
    while (lengths.length < count) {
      const symbol = this.#symbol(code);
      if (symbol < 16) lengths.push(symbol);
      else this.#repeat(symbol, lengths, count);
    }
    return lengths;
  }

  /** 16 repeats the length before, 17 and 18 a zero. */
  #repeat(symbol: number, lengths: number[], count: number): void {
    const value = symbol === 16 ? lengths.at(-1) : 0;
    const times = symbol === 18 ? 11 + this.#take(7) : 3 + this.#take(symbol === 16 ? 2 : 3);
    if (value === undefined || lengths.length + times > count) {
      throw new Corrupt('compressed block: invalid bit length repeat');
    }
    for (let left = times; left > 0; left--) lengths.push(value);
  }

  #coded(literals: Code, distances: Code): void {
    for (let symbol = this.#symbol(literals); symbol !== 256; symbol = this.#symbol(literals)) {
      if (symbol < 256) this.#put(symbol);
      else this.#match(symbol - 257, distances);
    }
  }

  #match(symbol: number, distances: Code): void {
    const base = LENGTH_BASE[symbol];
    if (base === undefined) throw new Corrupt('compressed block: invalid literal/length code');
    const length = base + this.#take(LENGTH_EXTRA[symbol] ?? 0);
    const distanceSymbol = this.#symbol(distances);
    const distanceBase = DISTANCE_BASE[distanceSymbol];
    if (distanceBase === undefined) throw new Corrupt('compressed block: invalid distance code');
    const distance = distanceBase + this.#take(DISTANCE_EXTRA[distanceSymbol] ?? 0);
    if (distance > this.length) throw new Corrupt('compressed block: invalid distance too far back');
    for (let left = length; left > 0; left--) this.#put(this.#target[this.length - distance] ?? 0);
  }
}
