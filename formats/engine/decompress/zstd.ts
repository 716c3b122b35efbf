/**
 * Zstandard streams of any number of frames (RFC 8878). Node's decoder stops silently behind the first frame, so frames
 * are told apart here, by their block headers, while the bytes pass.
 */
import { expand } from '#codecs/expand.ts';
import { concat, view } from '../bytes.ts';
import { Corrupt, Truncated } from '../errors.ts';
import type { ByteSource } from '../source.ts';
import { isSkippable, zstdHeaderRest } from '../zstd-frame.ts';
import { readChunks } from './read-chunks.ts';

const MAGIC = 0xfd2fb528;

/** Expands every frame; skippable frames and zeros behind the last frame are passed over. @throws Corrupt, Truncated */
export async function* zstdChunks(source: ByteSource): AsyncGenerator<Uint8Array> {
  const input = new Pushback(readChunks(source, 0, source.size));
  for (let frames = 0; ; ) {
    const magic = await input.take(4);
    if (magic.length === 0 && frames > 0) return;
    const value = magic.length < 4 ? -1 : view(magic).getUint32(0, true);
    if (value === MAGIC) {
      yield* expand('zstd', frameBytes(input, magic), 'zstd frame');
      frames++;
    } else if (value >= 0 && isSkippable(value)) {
      await input.skip(view(await input.exactly(4, 'zstd skippable frame')).getUint32(0, true));
    } else if (frames > 0 && magic.every((byte) => byte === 0)) {
      await input.onlyZeros();
      return;
    } else {
      throw new Corrupt('zstd: the bytes behind a frame are no frame');
    }
  }
}

/** Header, blocks up to the last one, checksum: the bytes of one frame and no more. */
async function* frameBytes(input: Pushback, magic: Uint8Array): AsyncGenerator<Uint8Array> {
  yield magic;
  const first = await input.exactly(1, 'zstd frame');
  yield first;
  const descriptor = first[0] ?? 0;
  yield await input.exactly(zstdHeaderRest(descriptor), 'zstd frame header');
  for (let last = false; !last; ) {
    const bytes = await input.exactly(3, 'zstd block header');
    const header = (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8) | ((bytes[2] ?? 0) << 16);
    const type = (header >> 1) & 3;
    if (type === 3) throw new Corrupt('zstd: a block of the reserved type 3');
    yield bytes;
    yield await input.exactly(type === 1 ? 1 : header >> 3, 'zstd block');
    last = (header & 1) === 1;
  }
  if ((descriptor & 4) !== 0) yield await input.exactly(4, 'zstd checksum');
}

/** Takes exact numbers of bytes from a stream of chunks of any size. */
class Pushback {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Up to `count` bytes; fewer only at the end. Blocks are at most 2 MiB by their 21-bit length. */
  async take(count: number): Promise<Uint8Array> {
    if (this.#rest.length < count) {
      const parts = [this.#rest];
      for (let have = this.#rest.length; have < count; ) {
        const next = await this.#chunks.next();
        if (next.done === true) break;
        parts.push(next.value);
        have += next.value.length;
      }
      this.#rest = concat(parts);
    }
    const taken = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return taken;
  }

  /** @throws Truncated when fewer bytes are left */
  async exactly(count: number, what: string): Promise<Uint8Array> {
    const taken = await this.take(count);
    if (taken.length < count) throw new Truncated(`${what}: ${count} bytes wanted, ${taken.length} left`);
    return taken;
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      const taken = await this.exactly(Math.min(left, 64 * 1024), 'zstd skippable frame');
      left -= taken.length;
    }
  }

  /** @throws Corrupt when anything but zeros follows */
  async onlyZeros(): Promise<void> {
    for (let taken = await this.take(64 * 1024); taken.length > 0; taken = await this.take(64 * 1024)) {
      if (taken.some((byte) => byte !== 0)) throw new Corrupt('zstd: the bytes behind the last frame are not zeros');
    }
  }
}
