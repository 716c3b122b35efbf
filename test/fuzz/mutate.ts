import { assertWithin, type ByteSource } from '../../formats/engine/source.ts';

/** A small deterministic generator (mulberry32): a run is repeated by its seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to below `bound`. */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

/** Bytes that replace those of the seed from `offset` on. */
export interface Edit {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export interface Mutant {
  readonly edits: readonly Edit[];
  /** Bytes of the mutant: shorter than the seed when it is cut. */
  readonly size: number;
}

/** Numbers at which parsers go wrong: limits, powers of two and their neighbours. */
const NUMBERS: readonly bigint[] = [
  0n,
  1n,
  2n,
  8n,
  16n,
  31n,
  32n,
  63n,
  64n,
  255n,
  512n,
  4096n,
  65_535n,
  65_536n,
].concat([31n, 32n, 33n, 40n, 52n, 53n, 56n, 62n, 63n, 64n].flatMap((bits) => [(1n << bits) - 1n, 1n << bits]));

/** Where structures are: both ends first of all, then anywhere. */
function place(random: Random, size: number): number {
  switch (random.below(8)) {
    case 0:
    case 1:
      return random.below(Math.min(size, 128));
    case 2:
      return random.below(Math.min(size, 1024));
    case 3:
      // Tables start where sectors do.
      return Math.min(size - 1, 512 * random.below(Math.ceil(size / 512)) + random.below(128));
    case 4:
      return size - 1 - random.below(Math.min(size, 1536));
    case 5:
      return random.below(Math.min(size, 70_000));
    default:
      return random.below(size);
  }
}

function number(random: Random): Uint8Array {
  const width = random.pick([1, 2, 4, 8]);
  const bytes = new Uint8Array(8);
  const data = new DataView(bytes.buffer);
  const little = random.below(2) === 0;
  const value = BigInt.asUintN(64, random.pick(NUMBERS) + BigInt(random.below(3) - 1));
  data.setBigUint64(0, value, little);
  return little ? bytes.subarray(0, width) : bytes.subarray(8 - width);
}

function edit(random: Random, seed: Uint8Array): Edit {
  const offset = place(random, seed.length);
  switch (random.below(4)) {
    case 0:
      return { offset, bytes: Uint8Array.of((seed[offset] ?? 0) ^ (1 << random.below(8))) };
    case 1:
      return { offset, bytes: Uint8Array.of(random.below(256)) };
    case 2: {
      // A piece of the image somewhere else: tables that point into tables.
      const from = place(random, seed.length);
      return { offset, bytes: seed.subarray(from, from + random.pick([4, 8, 16, 512])) };
    }
    default:
      return { offset: Math.floor(offset / 4) * 4, bytes: number(random) };
  }
}

/** A mutant of a seed: one to five edits, and sometimes a cut. */
export function mutate(random: Random, seed: Uint8Array): Mutant {
  const edits = Array.from({ length: random.pick([1, 1, 1, 2, 2, 3, 5]) }, () => edit(random, seed));
  return { edits, size: random.below(16) === 0 ? random.below(seed.length + 1) : seed.length };
}

/** A mutant as a source, without a copy of the seed; counts bytes that parsers ask for. */
export class MutantSource implements ByteSource {
  readonly size: number;
  bytesRead = 0;
  readonly #seed: Uint8Array;
  readonly #edits: readonly Edit[];

  constructor(seed: Uint8Array, mutant: Mutant) {
    this.size = mutant.size;
    this.#seed = seed;
    this.#edits = mutant.edits;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    assertWithin(this, offset, length);
    this.bytesRead += length;
    const touched = this.#edits.filter(
      (change) => change.offset < offset + length && change.offset + change.bytes.length > offset,
    );
    const bytes = this.#seed.subarray(offset, offset + length);
    if (touched.length === 0) return bytes;
    // Not slice(): a Buffer's shares memory, and the seed must stay as it is.
    const own = new Uint8Array(bytes);
    for (const change of touched) {
      for (
        let at = Math.max(change.offset, offset);
        at < Math.min(change.offset + change.bytes.length, offset + length);
        at++
      ) {
        own[at - offset] = change.bytes[at - change.offset] ?? 0;
      }
    }
    return own;
  }
}
