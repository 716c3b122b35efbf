/**
 * .bz2 streams of any number of blocks and streams (pbzip2 writes one for every 900 kB), front to back. Memory is a block and its coded
 * bytes: some 9 MiB, whatever is in the object. The format has no specification but its implementation, bzip2 1.0.8 (decompress.c).
 */
import { Corrupt } from '../../errors.ts';
import type { ByteSource } from '../../source.ts';
import { readChunks } from '../read-chunks.ts';
import { BitReader } from './bits.ts';
import { type Block, MAX_PACKED_BLOCK, readBlock } from './block.ts';
import { blockCrc } from './crc.ts';

/** "BZh", then a digit: hundreds of thousands of bytes in a block. */
const STREAM_MAGIC = 0x42_5a_68;
/** Pi and its root, in two halves of 24 bits. */
const BLOCK_MAGIC = [0x31_41_59, 0x26_53_59] as const;
const END_MAGIC = [0x17_72_45, 0x38_50_90] as const;
const BLOCK_UNIT = 100_000;
const OUTPUT_BYTES = 256 * 1024;

/** Expands every stream, checksums compared; zeros behind the last one are passed over. @throws Corrupt, Truncated */
export async function* bzip2Chunks(source: ByteSource): AsyncGenerator<Uint8Array> {
  const input = new Input(readChunks(source, 0, source.size));
  for (let streams = 0; ; streams++) {
    await input.fill();
    if (streams > 0 && (await input.isAtEnd())) return;
    yield* streamChunks(input);
  }
}

async function* streamChunks(input: Input): AsyncGenerator<Uint8Array> {
  const { bits } = input;
  const magic = bits.take(24);
  const digit = bits.take(8) - 0x30;
  if (magic !== STREAM_MAGIC || digit < 1 || digit > 9) throw new Corrupt('bzip2: bytes that begin no stream');
  const links = input.links(digit * BLOCK_UNIT);
  let combined = 0;
  for (;;) {
    const [high, low] = [bits.take(24), bits.take(24)];
    const stated = takeCrc(bits);
    if (high === END_MAGIC[0] && low === END_MAGIC[1]) {
      bits.align();
      return compare('the stream', combined, stated);
    }
    if (high !== BLOCK_MAGIC[0] || low !== BLOCK_MAGIC[1]) throw new Corrupt('bzip2: bytes that begin no block');
    let register = -1;
    for (const chunk of runsExpanded(readBlock(bits, links), links)) {
      register = blockCrc(chunk, register);
      yield chunk;
    }
    compare('a block', ~register, stated);
    combined = ((combined << 1) | (combined >>> 31)) ^ stated;
    await input.fill();
  }
}

const takeCrc = (bits: BitReader): number => (bits.take(16) << 16) | bits.take(16);

function compare(what: string, found: number, stated: number): void {
  const [is, says] = [found, stated].map((crc) => (crc >>> 0).toString(16).padStart(8, '0'));
  if (is !== says) throw new Corrupt(`bzip2: the CRC of ${what} is ${is}, it states ${says}`);
}

/** Four equal bytes are followed by how many more there are. */
const RUN = 4;

/** The bytes of a block in pieces of memory of their own. */
function* runsExpanded({ length, first, randomised }: Block, links: Uint32Array): Generator<Uint8Array> {
  let out = new Uint8Array(OUTPUT_BYTES);
  let filled = 0;
  let entry = links[first] ?? 0;
  let changed: number | undefined = randomised?.next().value;
  let equal = 0;
  let last = -1;
  for (let n = 0; n < length; n++) {
    let byte = entry & 0xff;
    entry = links[entry >>> 8] ?? 0;
    if (n === changed) {
      byte ^= 1;
      changed = randomised?.next().value;
    }
    // Room for this byte, or for a run of 255.
    if (filled + 256 > OUTPUT_BYTES) {
      yield out.subarray(0, filled);
      out = new Uint8Array(OUTPUT_BYTES);
      filled = 0;
    }
    if (equal === RUN) {
      out.fill(last, filled, filled + byte);
      filled += byte;
      equal = 0;
      last = -1;
      continue;
    }
    equal = byte === last ? equal + 1 : 1;
    last = byte;
    out[filled++] = byte;
  }
  if (filled > 0) yield out.subarray(0, filled);
}

/** The coded bytes, so many at hand that a block can be read without waiting. */
class Input {
  readonly bits = new BitReader(new Uint8Array(0));
  readonly #chunks: AsyncIterator<Uint8Array>;
  #links = new Uint32Array(0);
  #ended = false;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Reads until the longest block there can be is at hand, or all that there is. */
  async fill(): Promise<void> {
    while (!this.#ended && this.bits.left < MAX_PACKED_BLOCK) {
      const { done, value } = await this.#chunks.next();
      if (done === true) this.#ended = true;
      else this.bits.append(value);
    }
  }

  /** Room for blocks, used again by every stream that has no larger ones. */
  links(length: number): Uint32Array {
    if (this.#links.length < length) this.#links = new Uint32Array(length);
    return this.#links.subarray(0, length);
  }

  /** True when nothing but zeros is left, which are taken. @throws Corrupt when something else follows zeros */
  async isAtEnd(): Promise<boolean> {
    let zeros = 0;
    for (; this.bits.left > 0 && this.bits.peek(8) === 0; zeros++) {
      this.bits.drop(8);
      if (this.bits.left === 0) await this.fill();
    }
    if (this.bits.left === 0) return true;
    if (zeros > 0) throw new Corrupt('bzip2: the bytes behind the last stream are not zeros');
    return false;
  }
}
