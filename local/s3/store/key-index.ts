/** Keys per chunk before it is split: keeps an insert at a few hundred moved pointers. */
const CHUNK_LIMIT = 512;

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xe000;
}

/**
 * Orders keys as S3 does, by UTF-8 bytes, which is code point order. UTF-16 order differs only where a surrogate (a code
 * point above U+FFFF) meets U+E000..U+FFFF.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    if (isSurrogate(x) !== isSurrogate(y)) return isSurrogate(x) ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}

/** First index in `[0, length)` where `isBefore` turns false. */
function partitionPoint(length: number, isBefore: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * An ordered map from key to value: sorted chunks of a few hundred keys for order, a hash map for look-up. Insert, delete
 * and seek are logarithmic plus one small move, so 100,000 keys in one bucket stay cheap.
 */
export class KeyIndex<Value> {
  readonly #values = new Map<string, Value>();
  #chunks: string[][] = [];

  get size(): number {
    return this.#values.size;
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Value): void {
    if (!this.#values.has(key)) this.#insert(key);
    this.#values.set(key, value);
  }

  delete(key: string): void {
    if (!this.#values.delete(key)) return;
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    chunk.splice(
      partitionPoint(chunk.length, (i) => compareKeys(chunk[i] ?? '', key) < 0),
      1,
    );
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** Every key in order, as a copy that later changes do not touch. */
  keys(): string[] {
    return this.#chunks.flat();
  }

  /**
   * The first key in order for which `isBefore` is false, with its value, or undefined at the end.
   * `isBefore` must hold for a leading run of the keys and for none after it.
   */
  seek(isBefore: (key: string) => boolean): readonly [key: string, value: Value] | undefined {
    const at = partitionPoint(this.#chunks.length, (i) => isBefore(this.#chunks[i]?.at(-1) ?? ''));
    const chunk = this.#chunks[at];
    if (chunk === undefined) return undefined;
    const key = chunk[partitionPoint(chunk.length, (i) => isBefore(chunk[i] ?? ''))];
    const value = key === undefined ? undefined : this.#values.get(key);
    return key === undefined || value === undefined ? undefined : [key, value];
  }

  /** Index of the chunk that holds `key` or would hold it. */
  #chunkOf(key: string): number {
    const at = partitionPoint(this.#chunks.length, (i) => compareKeys(this.#chunks[i]?.at(-1) ?? '', key) < 0);
    return Math.min(at, this.#chunks.length - 1);
  }

  #insert(key: string): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks = [[key]];
      return;
    }
    const position = partitionPoint(chunk.length, (i) => compareKeys(chunk[i] ?? '', key) < 0);
    chunk.splice(position, 0, key);
    // Ascending inserts (the common case) leave full chunks behind instead of half ones.
    const split = position === chunk.length - 1 ? chunk.length - 1 : chunk.length >>> 1;
    if (chunk.length > CHUNK_LIMIT) this.#chunks.splice(at + 1, 0, chunk.splice(split));
  }
}
