import type { ByteSource } from './source.ts';
import { assertWithin } from './source.ts';
import { TableCache } from './table-cache.ts';

/** One range GET brings 16,384 table entries of 4 bytes: the map of 1 GiB of 64 KiB grains, or of 32 GiB of 2 MiB blocks. */
const PAGE_BYTES = 64 * 1024;
/** Bound on the table bytes kept per image. */
const CACHE_BYTES = 4 * 1024 * 1024;

/**
 * The tables of an image, read lazily in pages of the file and kept by least recent use: neighbouring tables share a
 * read, and memory does not grow with the image. A page that reaches past the end of the object is cut there.
 */
export class TablePages {
  readonly #source: ByteSource;
  readonly #cache = new TableCache(CACHE_BYTES);
  #loads = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Reads of the source so far. */
  get loads(): number {
    return this.#loads;
  }

  /**
   * Exactly `length` bytes from `offset`; not to be written to.
   * @throws Truncated when they lie outside the object; `what` names the table in the message
   */
  async read(offset: number, length: number, what: string): Promise<Uint8Array> {
    assertWithin(this.#source, offset, length, what);
    const first = Math.floor(offset / PAGE_BYTES);
    const last = Math.floor((offset + Math.max(length, 1) - 1) / PAGE_BYTES);
    if (first === last) {
      const page = await this.#page(first);
      return page.subarray(offset - first * PAGE_BYTES, offset - first * PAGE_BYTES + length);
    }
    const out = new Uint8Array(length);
    for (let index = first; index <= last; index++) {
      const page = await this.#page(index);
      const at = index * PAGE_BYTES;
      const piece = page.subarray(Math.max(0, offset - at), Math.min(page.length, offset + length - at));
      out.set(piece, Math.max(0, at - offset));
    }
    return out;
  }

  #page(index: number): Promise<Uint8Array> {
    return this.#cache.get(index, () => {
      this.#loads++;
      const at = index * PAGE_BYTES;
      return this.#source.read(at, Math.min(PAGE_BYTES, this.#source.size - at));
    });
  }
}
