/*
 * Inflates two streams of RFC 1951, or 1950, at once. AssemblyScript; `node scripts/build-inflate.ts` makes `pair-wasm.ts` of it.
 *
 * Decoding a symbol is a chain of look up, shift, look up: the processor waits for each step. Two streams in one loop are
 * two chains that do not wait for one another, which is where the gain over zlib comes from (docs/adr/0032).
 *
 * Only streams that are whole and right count as done. Whatever else there is (damage, a missing end, more or fewer bytes
 * than expected) is left to zlib, which then says what is wrong: this decoder must never accept what zlib would refuse.
 */

// Memory, in bytes. Tables: sizes are the most entries that any valid code needs with these index widths.
const LITERAL_BITS: u32 = 11;
const DISTANCE_BITS: u32 = 8;
const LENGTH_BITS: u32 = 7;
const LITERAL_MASK: usize = ((1 << LITERAL_BITS) - 1) << 2;
const DISTANCE_MASK: usize = ((1 << DISTANCE_BITS) - 1) << 2;
const FIRST: usize = 512;
const SECOND: usize = 576;
const LITERALS: usize = 1024;
const DISTANCES: usize = LITERALS + 2342 * 4;
/** From the first stream's tables to the second's. */
const TABLES: usize = (2342 + 402) * 4;
const LENGTHS: usize = LITERALS + 2 * TABLES;
const CODE_LENGTHS: usize = LENGTHS + 128 * 4;
const SORTED: usize = CODE_LENGTHS + 512;
const COUNTS: usize = SORTED + 1024;
const OFFSETS: usize = COUNTS + 64;
const LITERAL_RESULTS: usize = OFFSETS + 64;
const DISTANCE_RESULTS: usize = LITERAL_RESULTS + 288 * 4;
const LENGTH_RESULTS: usize = DISTANCE_RESULTS + 32 * 4;

/*
 * A table entry: bits 0-7 are what to shift (code and extra bits), bits 8-11 the code's length, and above 16 the value
 * (a literal, the base of a length or distance, the place of a subtable). What it is:
 */
const LITERAL: u32 = 0x8000_0000;
const SPECIAL: u32 = 0x8000;
/** With SPECIAL: a subtable, whose index width is in bits 8-11; the end of the block; neither is no code at all. */
const SUBTABLE: u32 = 0x4000;
const END_OF_BLOCK: u32 = 0x2000;

// A stream's state: offsets of fields of 4 bytes, the bits of 8.
const IN: usize = 0;
const IN_END: usize = 4;
const OUT: usize = 8;
const OUT_END: usize = 12;
const OUT_START: usize = 16;
const LEFT: usize = 20;
const BITS: usize = 24;
const LAST: usize = 32;
const PHASE: usize = 36;
const TABLE: usize = 40;

const AT_HEADER: u32 = 0;
const IN_BLOCK: u32 = 1;
const DONE: u32 = 2;
const GIVEN_UP: u32 = 3;
const BLOCK_ENDED: u32 = 4;

/** Bytes before the end of input and room where `both` stops: what a round may read, and write beyond. */
const IN_MARGIN: usize = 16;
const OUT_MARGIN: usize = 320;

/** In which order a header gives the lengths of the code of lengths (RFC 1951, 3.2.7). */
const ORDER: usize = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

/** Once, before anything else: what each symbol stands for (RFC 1951, 3.2.5). */
export function init(): void {
  for (let i: u32 = 0; i < 288; i++) store<u32>(LITERAL_RESULTS + i * 4, i < 256 ? LITERAL | (i << 16) : SPECIAL);
  store<u32>(LITERAL_RESULTS + 256 * 4, SPECIAL | END_OF_BLOCK);
  let base: u32 = 3;
  for (let i: u32 = 0; i < 28; i++) {
    const extra: u32 = i < 4 ? 0 : (i >> 2) - 1;
    store<u32>(LITERAL_RESULTS + (257 + i) * 4, (base << 16) | extra);
    base += 1 << extra;
  }
  store<u32>(LITERAL_RESULTS + 285 * 4, 258 << 16);
  base = 1;
  for (let i: u32 = 0; i < 30; i++) {
    const extra: u32 = i < 2 ? 0 : (i >> 1) - 1;
    store<u32>(DISTANCE_RESULTS + i * 4, (base << 16) | extra);
    base += 1 << extra;
  }
  store<u32>(DISTANCE_RESULTS + 30 * 4, SPECIAL);
  store<u32>(DISTANCE_RESULTS + 31 * 4, SPECIAL);
  for (let i: u32 = 0; i < 19; i++) store<u32>(LENGTH_RESULTS + i * 4, i << 16);
}

/**
 * Sorts the symbols of a code by length, and checks it.
 * @returns the symbols in use when the code is complete, or -1; 0 and 1 are allowed where `sparse` says so
 */
function sort(lengths: usize, count: u32, sparse: bool): i32 {
  memory.fill(COUNTS, 0, 64);
  for (let i: u32 = 0; i < count; i++) {
    const at = COUNTS + ((<usize>load<u8>(lengths + i)) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
  let used: u32 = 0;
  let space: u32 = 0;
  for (let length: u32 = 1; length <= 15; length++) {
    const n = load<u32>(COUNTS + length * 4);
    store<u32>(OFFSETS + length * 4, used);
    used += n;
    space = (space << 1) + n;
  }
  const complete = space == 32768;
  if (!complete && !(sparse && (used == 0 || (used == 1 && space == 16384)))) return -1;
  for (let i: u32 = 0; i < count; i++) {
    const length = <u32>load<u8>(lengths + i);
    if (length == 0) continue;
    const at = OFFSETS + length * 4;
    const place = load<u32>(at);
    store<u32>(at, place + 1);
    store<u16>(SORTED + place * 2, <u16>i);
  }
  return used;
}

/** Makes the decoding table of a code from the lengths of its symbols; false when zlib should look at it. */
function build(table: usize, bits: u32, lengths: usize, count: u32, results: usize, sparse: bool): bool {
  const used = sort(lengths, count, sparse);
  if (used < 0) return false;
  const size: u32 = 1 << bits;
  if (used < 2) for (let i: u32 = 0; i < size; i++) store<u32>(table + i * 4, SPECIAL);
  let code: u32 = 0; // its bits reversed, as they come
  let end = size;
  let prefix: u32 = u32.MAX_VALUE;
  let start: u32 = 0;
  for (let i: i32 = 0; i < used; i++) {
    const symbol = <u32>load<u16>(SORTED + i * 2);
    const length = <u32>load<u8>(lengths + symbol);
    const result = load<u32>(results + symbol * 4);
    if (length <= bits) {
      const entry = result + (length << 8) + length;
      for (let at = code; at < size; at += 1 << length) store<u32>(table + at * 4, entry);
    } else {
      const rest = length - bits;
      if ((code & (size - 1)) != prefix) {
        prefix = code & (size - 1);
        start = end;
        const width = subtableBits(bits, length);
        end = start + (1 << width);
        store<u32>(table + prefix * 4, (start << 16) | SPECIAL | SUBTABLE | (width << 8) | bits);
      }
      const entry = result + (rest << 8) + rest;
      for (let at = start + (code >> bits); at < end; at += 1 << rest) store<u32>(table + at * 4, entry);
    }
    const left = COUNTS + length * 4;
    store<u32>(left, load<u32>(left) - 1);
    let bit: u32 = 1 << (length - 1);
    while ((code & bit) != 0) bit >>= 1;
    code = (code & (bit - 1)) | bit;
  }
  return true;
}

/** The index width of a subtable whose first code has `length` bits: until the codes that are left fill it. */
function subtableBits(bits: u32, length: u32): u32 {
  let width = length - bits;
  let filled = load<u32>(COUNTS + length * 4);
  while (filled < (<u32>1 << width) && bits + width < 15) {
    width++;
    filled = (filled << 1) + load<u32>(COUNTS + (bits + width) * 4);
  }
  return width;
}

/** Reads a block's header, and all of a stored block. */
function header(s: usize): void {
  let at: usize = load<u32>(s, IN);
  let left = load<u32>(s, LEFT);
  let bits = load<u64>(s, BITS);
  bits |= load<u64>(at) << left;
  at += (63 - left) >> 3;
  left |= 56;
  store<u32>(s, <u32>bits & 1, LAST);
  const type = ((<u32>bits) >> 1) & 3;
  store<u32>(s, GIVEN_UP, PHASE);
  if (type == 3) return;
  store<u64>(s, bits >> 3, BITS);
  store<u32>(s, left - 3, LEFT);
  store<u32>(s, <u32>at, IN);
  if (type == 0) return stored(s);
  let literals: u32 = 288;
  let distances: u32 = 32;
  if (type == 1) {
    memory.fill(CODE_LENGTHS, 8, 144);
    memory.fill(CODE_LENGTHS + 144, 9, 112);
    memory.fill(CODE_LENGTHS + 256, 7, 24);
    memory.fill(CODE_LENGTHS + 280, 8, 8);
    memory.fill(CODE_LENGTHS + 288, 5, 32);
  } else {
    const counts = <u32>(bits >> 3);
    literals = (counts & 31) + 257;
    distances = ((counts >> 5) & 31) + 1;
    if (literals > 286 || distances > 30 || !codeLengths(s, literals + distances)) return;
    if (load<u8>(CODE_LENGTHS + 256) == 0) return;
  }
  const table: usize = load<u32>(s, TABLE);
  if (!build(DISTANCES + table, DISTANCE_BITS, CODE_LENGTHS + literals, distances, DISTANCE_RESULTS, true)) return;
  if (!build(LITERALS + table, LITERAL_BITS, CODE_LENGTHS, literals, LITERAL_RESULTS, false)) return;
  store<u32>(s, IN_BLOCK, PHASE);
}

/** A stored block: what is left of the byte is skipped, then comes its length, twice. */
function stored(s: usize): void {
  let at: usize = load<u32>(s, IN) - (load<u32>(s, LEFT) >> 3);
  const end: usize = load<u32>(s, IN_END);
  const out: usize = load<u32>(s, OUT);
  if (at + 4 > end) return;
  const length: usize = load<u16>(at);
  if ((length ^ load<u16>(at, 2)) != 0xffff) return;
  at += 4;
  if (at + length > end || out + length > <usize>load<u32>(s, OUT_END)) return;
  memory.copy(out, at, length);
  store<u32>(s, <u32>(at + length), IN);
  store<u32>(s, <u32>(out + length), OUT);
  store<u32>(s, 0, LEFT);
  store<u64>(s, 0, BITS);
  store<u32>(s, load<u32>(s, LAST) ? DONE : AT_HEADER, PHASE);
}

/** The lengths of both codes, which are themselves coded (RFC 1951, 3.2.7). */
function codeLengths(s: usize, count: u32): bool {
  let at: usize = load<u32>(s, IN);
  let left = load<u32>(s, LEFT);
  let bits = load<u64>(s, BITS);
  const given = ((<u32>bits >> 10) & 15) + 4;
  bits >>= 14;
  left -= 14;
  memory.fill(CODE_LENGTHS, 0, 19);
  for (let i: u32 = 0; i < given; i++) {
    bits |= load<u64>(at) << left;
    at += (63 - left) >> 3;
    left |= 56;
    store<u8>(CODE_LENGTHS + load<u8>(ORDER + i), <u8>(<u32>bits & 7));
    bits >>= 3;
    left -= 3;
  }
  if (!build(LENGTHS, LENGTH_BITS, CODE_LENGTHS, 19, LENGTH_RESULTS, false)) return false;
  for (let i: u32 = 0; i < count; ) {
    if (at > <usize>load<u32>(s, IN_END) + IN_MARGIN) return false;
    bits |= load<u64>(at) << left;
    at += (63 - left) >> 3;
    left |= 56;
    const entry = load<u32>(LENGTHS + ((<usize>bits & 127) << 2));
    bits >>= entry;
    left -= entry & 0xff;
    const symbol = entry >> 16;
    const extra: u32 = symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
    const repeat = (symbol < 16 ? 1 : symbol == 18 ? 11 : 3) + (<u32>bits & ((1 << extra) - 1));
    bits >>= extra;
    left -= extra;
    if ((symbol == 16 && i == 0) || i + repeat > count) return false;
    const value = symbol < 16 ? symbol : symbol == 16 ? <u32>load<u8>(CODE_LENGTHS + i - 1) : 0;
    memory.fill(CODE_LENGTHS + i, <u8>value, repeat);
    i += repeat;
  }
  // Whole bytes go back: `both` needs two free bits.
  store<u32>(s, <u32>(at - (left >> 3)), IN);
  store<u32>(s, left & 7, LEFT);
  store<u64>(s, bits & ((1 << (<u64>left & 7)) - 1), BITS);
  return true;
}

/** A block to its end, symbol by symbol, with every border checked: where the other stream has ended, or room gets short. */
function alone(s: usize): void {
  let at: usize = load<u32>(s, IN);
  let left = load<u32>(s, LEFT);
  let bits = load<u64>(s, BITS);
  let out: usize = load<u32>(s, OUT);
  const inEnd: usize = load<u32>(s, IN_END);
  const outEnd: usize = load<u32>(s, OUT_END);
  const outStart: usize = load<u32>(s, OUT_START);
  const table: usize = load<u32>(s, TABLE);
  store<u32>(s, GIVEN_UP, PHASE);
  while (true) {
    if (at > inEnd + IN_MARGIN) return;
    bits |= load<u64>(at) << left;
    at += (63 - left) >> 3;
    left |= 56;
    let entry = load<u32>(table + ((<usize>bits << 2) & LITERAL_MASK), LITERALS);
    if (<i32>entry >= 0 && (entry & SUBTABLE) != 0) {
      bits >>= LITERAL_BITS;
      left -= LITERAL_BITS;
      entry = load<u32>(table + subentry(entry, <u32>bits), LITERALS);
    }
    const length = value(entry, bits);
    bits >>= entry;
    left -= entry & 0xff;
    if (<i32>entry < 0) {
      if (out >= outEnd) return;
      store<u8>(out++, <u8>(entry >> 16));
      continue;
    }
    if ((entry & SPECIAL) != 0) {
      if ((entry & END_OF_BLOCK) == 0) return;
      break;
    }
    bits |= load<u64>(at) << left;
    at += (63 - left) >> 3;
    left |= 56;
    entry = load<u32>(table + ((<usize>bits << 2) & DISTANCE_MASK), DISTANCES);
    if ((entry & SUBTABLE) != 0) {
      bits >>= DISTANCE_BITS;
      left -= DISTANCE_BITS;
      entry = load<u32>(table + subentry(entry, <u32>bits), DISTANCES);
    }
    const distance = value(entry, bits);
    bits >>= entry;
    left -= entry & 0xff;
    if ((entry & SPECIAL) != 0 || distance > <u32>(out - outStart) || out + length > outEnd) return;
    for (const end = out + length; out < end; out++) store<u8>(out, load<u8>(out - distance));
  }
  store<u32>(s, <u32>at, IN);
  store<u32>(s, left, LEFT);
  store<u64>(s, bits, BITS);
  store<u32>(s, <u32>out, OUT);
  store<u32>(s, BLOCK_ENDED, PHASE);
}

/** Where in its table the entry of a subtable is, in bytes. */
@inline function subentry(pointer: u32, bits: u32): usize {
  return ((pointer >> 16) + (bits & ((1 << ((pointer >> 8) & 15)) - 1))) << 2;
}

/** The length or distance that an entry stands for: its base and the extra bits behind the code. */
@inline function value(entry: u32, bits: u64): u32 {
  return (entry >> 16) + ((<u32>bits & ((1 << (entry & 0xff)) - 1)) >> ((entry >> 8) & 15));
}

/** Copies a match in steps as wide as its distance allows; may write up to 15 bytes beyond `end`. */
@inline function repeat(from: usize, distance: usize, end: usize): void {
  let out = from;
  let source = from - distance;
  if (distance >= 16) {
    do { v128.store(out, v128.load(source)); out += 16; source += 16; } while (out < end);
  } else if (distance >= 8) {
    do { store<u64>(out, load<u64>(source)); out += 8; source += 8; } while (out < end);
  } else {
    do { store<u8>(out, load<u8>(source)); out++; source++; } while (out < end);
  }
}

/**
 * Both blocks side by side, until one of them ends or comes near a border. Everything stands here twice: only local
 * variables stay in registers. The bits stand two places up, so that a table index needs no scaling.
 */
function both(): void {
  let inA: usize = load<u32>(FIRST, IN), leftA = load<u32>(FIRST, LEFT) + 2, bitsA = load<u64>(FIRST, BITS) << 2, outA: usize = load<u32>(FIRST, OUT);
  let inB: usize = load<u32>(SECOND, IN), leftB = load<u32>(SECOND, LEFT) + 2, bitsB = load<u64>(SECOND, BITS) << 2, outB: usize = load<u32>(SECOND, OUT);
  const inFastA: usize = <usize>load<u32>(FIRST, IN_END) - IN_MARGIN, outFastA: usize = <usize>load<u32>(FIRST, OUT_END) - OUT_MARGIN, outStartA: usize = load<u32>(FIRST, OUT_START);
  const inFastB: usize = <usize>load<u32>(SECOND, IN_END) - IN_MARGIN, outFastB: usize = <usize>load<u32>(SECOND, OUT_END) - OUT_MARGIN, outStartB: usize = load<u32>(SECOND, OUT_START);
  let going = true;
  while (inA < inFastA && outA < outFastA && inB < inFastB && outB < outFastB && going) {
    bitsA |= load<u64>(inA) << leftA; inA += (63 - leftA) >> 3; leftA |= 56;
    bitsB |= load<u64>(inB) << leftB; inB += (63 - leftB) >> 3; leftB |= 56;
    let entryA = load<u32>(<usize>bitsA & LITERAL_MASK, LITERALS);
    let entryB = load<u32>(<usize>bitsB & LITERAL_MASK, LITERALS + TABLES);
    // Three literals and a length and its extra bits are 53 bits at most; 54 are there.
    if (<i32>(entryA & entryB) < 0) {
      bitsA >>= entryA; leftA -= entryA & 0xff; store<u8>(outA, <u8>(entryA >> 16)); outA++;
      bitsB >>= entryB; leftB -= entryB & 0xff; store<u8>(outB, <u8>(entryB >> 16)); outB++;
      entryA = load<u32>(<usize>bitsA & LITERAL_MASK, LITERALS);
      entryB = load<u32>(<usize>bitsB & LITERAL_MASK, LITERALS + TABLES);
      if (<i32>(entryA & entryB) < 0) {
        bitsA >>= entryA; leftA -= entryA & 0xff; store<u8>(outA, <u8>(entryA >> 16)); outA++;
        bitsB >>= entryB; leftB -= entryB & 0xff; store<u8>(outB, <u8>(entryB >> 16)); outB++;
        entryA = load<u32>(<usize>bitsA & LITERAL_MASK, LITERALS);
        entryB = load<u32>(<usize>bitsB & LITERAL_MASK, LITERALS + TABLES);
        if (<i32>(entryA & entryB) < 0) {
          bitsA >>= entryA; leftA -= entryA & 0xff; store<u8>(outA, <u8>(entryA >> 16)); outA++;
          bitsB >>= entryB; leftB -= entryB & 0xff; store<u8>(outB, <u8>(entryB >> 16)); outB++;
          entryA = load<u32>(<usize>bitsA & LITERAL_MASK, LITERALS);
          entryB = load<u32>(<usize>bitsB & LITERAL_MASK, LITERALS + TABLES);
        }
      }
    }

    if (<i32>entryA < 0) {
      bitsA >>= entryA; leftA -= entryA & 0xff; store<u8>(outA, <u8>(entryA >> 16)); outA++;
    } else {
      if ((entryA & SUBTABLE) != 0) {
        bitsA >>= LITERAL_BITS; leftA -= LITERAL_BITS;
        entryA = load<u32>(subentry(entryA, <u32>(bitsA >> 2)), LITERALS);
      }
      const coded = bitsA >> 2;
      bitsA >>= entryA; leftA -= entryA & 0xff;
      if (<i32>entryA < 0) {
        store<u8>(outA, <u8>(entryA >> 16)); outA++;
      } else if ((entryA & SPECIAL) != 0) {
        store<u32>(FIRST, (entryA & END_OF_BLOCK) != 0 ? BLOCK_ENDED : GIVEN_UP, PHASE);
        going = false;
      } else {
        const length = value(entryA, coded);
        bitsA |= load<u64>(inA) << leftA; inA += (63 - leftA) >> 3; leftA |= 56;
        let entry = load<u32>(<usize>bitsA & DISTANCE_MASK, DISTANCES);
        if ((entry & SUBTABLE) != 0) {
          bitsA >>= DISTANCE_BITS; leftA -= DISTANCE_BITS;
          entry = load<u32>(subentry(entry, <u32>(bitsA >> 2)), DISTANCES);
        }
        const distance: usize = value(entry, bitsA >> 2);
        bitsA >>= entry; leftA -= entry & 0xff;
        if ((entry & SPECIAL) != 0 || distance > outA - outStartA) {
          store<u32>(FIRST, GIVEN_UP, PHASE);
          going = false;
        } else {
          repeat(outA, distance, outA + length);
          outA += length;
        }
      }
    }

    if (<i32>entryB < 0) {
      bitsB >>= entryB; leftB -= entryB & 0xff; store<u8>(outB, <u8>(entryB >> 16)); outB++;
    } else {
      if ((entryB & SUBTABLE) != 0) {
        bitsB >>= LITERAL_BITS; leftB -= LITERAL_BITS;
        entryB = load<u32>(subentry(entryB, <u32>(bitsB >> 2)), LITERALS + TABLES);
      }
      const coded = bitsB >> 2;
      bitsB >>= entryB; leftB -= entryB & 0xff;
      if (<i32>entryB < 0) {
        store<u8>(outB, <u8>(entryB >> 16)); outB++;
      } else if ((entryB & SPECIAL) != 0) {
        store<u32>(SECOND, (entryB & END_OF_BLOCK) != 0 ? BLOCK_ENDED : GIVEN_UP, PHASE);
        going = false;
      } else {
        const length = value(entryB, coded);
        bitsB |= load<u64>(inB) << leftB; inB += (63 - leftB) >> 3; leftB |= 56;
        let entry = load<u32>(<usize>bitsB & DISTANCE_MASK, DISTANCES + TABLES);
        if ((entry & SUBTABLE) != 0) {
          bitsB >>= DISTANCE_BITS; leftB -= DISTANCE_BITS;
          entry = load<u32>(subentry(entry, <u32>(bitsB >> 2)), DISTANCES + TABLES);
        }
        const distance: usize = value(entry, bitsB >> 2);
        bitsB >>= entry; leftB -= entry & 0xff;
        if ((entry & SPECIAL) != 0 || distance > outB - outStartB) {
          store<u32>(SECOND, GIVEN_UP, PHASE);
          going = false;
        } else {
          repeat(outB, distance, outB + length);
          outB += length;
        }
      }
    }
  }
  store<u32>(FIRST, <u32>inA, IN); store<u32>(FIRST, leftA - 2, LEFT); store<u64>(FIRST, bitsA >> 2, BITS); store<u32>(FIRST, <u32>outA, OUT);
  store<u32>(SECOND, <u32>inB, IN); store<u32>(SECOND, leftB - 2, LEFT); store<u64>(SECOND, bitsB >> 2, BITS); store<u32>(SECOND, <u32>outB, OUT);
}

function start(s: usize, table: usize, input: usize, inEnd: usize, out: usize, outEnd: usize): void {
  store<u32>(s, <u32>input, IN);
  store<u32>(s, <u32>inEnd, IN_END);
  store<u32>(s, <u32>out, OUT);
  store<u32>(s, <u32>outEnd, OUT_END);
  store<u32>(s, <u32>out, OUT_START);
  store<u32>(s, 0, LEFT);
  store<u64>(s, 0, BITS);
  store<u32>(s, AT_HEADER, PHASE);
  store<u32>(s, <u32>table, TABLE);
}

/** After a block: the bits that were used must have been there. Then headers, until there is a block to decode. */
function proceed(s: usize): void {
  if (load<u32>(s, PHASE) == BLOCK_ENDED) {
    const there = load<u32>(s, IN) - (load<u32>(s, LEFT) >> 3) <= load<u32>(s, IN_END);
    store<u32>(s, !there ? GIVEN_UP : load<u32>(s, LAST) ? DONE : AT_HEADER, PHASE);
  }
  while (load<u32>(s, PHASE) == AT_HEADER) header(s);
}

/** Too near to a border for `both`. */
function near(s: usize): bool {
  return load<u32>(s, IN) + <u32>IN_MARGIN >= load<u32>(s, IN_END) || load<u32>(s, OUT) + <u32>OUT_MARGIN >= load<u32>(s, OUT_END);
}

/** True when a stream ended as it should and filled its room; `zlib`: and its checksum stands behind it (RFC 1950). */
function whole(s: usize, zlib: bool): bool {
  const out: usize = load<u32>(s, OUT);
  if (load<u32>(s, PHASE) != DONE || out != load<u32>(s, OUT_END)) return false;
  if (!zlib) return true;
  const at: usize = load<u32>(s, IN) - (load<u32>(s, LEFT) >> 3);
  return at + 4 <= <usize>load<u32>(s, IN_END) && bswap(load<u32>(at)) == adler32(load<u32>(s, OUT_START), out);
}

/** Bytes that the checksum takes between divisions: lanes of 32 bits hold their sums. */
const ADLER_STEP: usize = 4096;
const ADLER_BASE: u32 = 65521;

/** Adler-32: `a` is one more than the sum of the bytes, `b` the sum of all the values that `a` went through. */
function adler32(from: usize, end: usize): u32 {
  const high = i16x8(16, 15, 14, 13, 12, 11, 10, 9);
  const low = i16x8(8, 7, 6, 5, 4, 3, 2, 1);
  let a: u32 = 1;
  let b: u32 = 0;
  let at = from;
  while (end - at >= 16) {
    const bytes = min(end - at, ADLER_STEP) & ~15;
    let sum = i32x4.splat(0);
    let before = i32x4.splat(0); // of each 16 bytes, the sum of all before them in this step
    let weighted = i32x4.splat(0);
    for (const stop = at + bytes; at < stop; at += 16) {
      const word = v128.load(at);
      before = i32x4.add(before, sum);
      sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(word)));
      weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(word), high));
      weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(word), low));
    }
    b = (b + <u32>bytes * a + 16 * lanes(before) + lanes(weighted)) % ADLER_BASE;
    a = (a + lanes(sum)) % ADLER_BASE;
  }
  for (; at < end; at++) {
    a = (a + load<u8>(at)) % ADLER_BASE;
    b = (b + a) % ADLER_BASE;
  }
  return (b << 16) | a;
}

@inline function lanes(v: v128): u32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}

/**
 * Inflates two streams. Input and room are addresses, each from the first byte to behind the last; up to 32 bytes
 * behind an input are read along, nothing is written outside a room.
 * @param zlib a checksum stands behind each stream
 * @returns bit 0: the first stream is whole and fills its room; bit 1: so does the second
 */
export function inflatePair(zlib: bool, inA: usize, inEndA: usize, outA: usize, outEndA: usize, inB: usize, inEndB: usize, outB: usize, outEndB: usize): u32 {
  start(FIRST, 0, inA, inEndA, outA, outEndA);
  start(SECOND, TABLES, inB, inEndB, outB, outEndB);
  while (true) {
    proceed(FIRST);
    proceed(SECOND);
    const a = load<u32>(FIRST, PHASE) == IN_BLOCK;
    const b = load<u32>(SECOND, PHASE) == IN_BLOCK;
    if (!a && !b) break;
    if (a && (!b || near(FIRST))) alone(FIRST);
    else if (b && (!a || near(SECOND))) alone(SECOND);
    else both();
  }
  return (whole(FIRST, zlib) ? 1 : 0) | (whole(SECOND, zlib) ? 2 : 0);
}
