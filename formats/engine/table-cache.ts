/**
 * Bytes of an image's tables, kept by least recent use and bounded by size: memory does not grow with the image.
 * Keys are whatever identifies a piece (usually its byte offset in the source). Values are loaded once even when
 * several readers ask at the same time; a load that fails is not kept.
 */
export class TableCache {
  readonly #maxBytes: number;
  readonly #entries = new Map<number, Promise<Uint8Array>>();
  readonly #sizes = new Map<number, number>();
  #bytes = 0;

  /** @param maxBytes bound on the sum of the lengths of kept values; one value above it is still returned, not kept */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The kept value, now the most recently used; undefined when absent. */
  peek(key: number): Promise<Uint8Array> | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
    return entry;
  }

  /** The kept value or the one `load` gives. @throws what `load` throws */
  get(key: number, load: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const kept = this.peek(key);
    if (kept !== undefined) return kept;
    const value = load();
    this.put(key, value);
    return value;
  }

  /** Keeps a value, which may still be loading. */
  put(key: number, value: Promise<Uint8Array>): void {
    this.#drop(key);
    this.#entries.set(key, value);
    value.then(
      (bytes) => this.#settle(key, value, bytes.length),
      () => {
        if (this.#entries.get(key) === value) this.#drop(key);
      },
    );
  }

  #settle(key: number, value: Promise<Uint8Array>, length: number): void {
    if (this.#entries.get(key) !== value) return;
    this.#sizes.set(key, length);
    this.#bytes += length;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      if (this.#sizes.has(oldest)) this.#drop(oldest);
    }
  }

  #drop(key: number): void {
    this.#entries.delete(key);
    this.#bytes -= this.#sizes.get(key) ?? 0;
    this.#sizes.delete(key);
  }
}
