import { Truncated } from '../../errors.ts';

/** The bits of a buffer, the highest bit of each byte first. */
export class BitReader {
  #bytes: Uint8Array;
  /** The next byte that is not in `#hold`. */
  #at = 0;
  /** The last bits read from the buffer; the lower `#count` of them are still to be taken. */
  #hold = 0;
  #count = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whole bytes that are still to be taken. */
  get left(): number {
    return this.#bytes.length - this.#at + (this.#count >> 3);
  }

  /** Puts further bytes behind what is left. */
  append(more: Uint8Array): void {
    // Zeros that were looked at behind the end are none of the stream's.
    const zeros = Math.max(0, this.#at - this.#bytes.length);
    this.#hold >>>= 8 * zeros;
    this.#count -= 8 * zeros;
    const rest = this.#bytes.subarray(this.#at);
    const bytes = new Uint8Array(rest.length + more.length);
    bytes.set(rest);
    bytes.set(more, rest.length);
    this.#bytes = bytes;
    this.#at = 0;
  }

  /** Takes 1 to 24 bits. @throws Truncated when fewer are left */
  take(count: number): number {
    const value = this.peek(count);
    this.drop(count);
    return value;
  }

  /** The next 1 to 24 bits, zeros where there are none any more; they are not taken. */
  peek(count: number): number {
    while (this.#count <= 24) {
      this.#hold = (this.#hold << 8) | (this.#bytes[this.#at++] ?? 0);
      this.#count += 8;
    }
    return (this.#hold >>> (this.#count - count)) & ((1 << count) - 1);
  }

  /** Takes bits that were looked at. @throws Truncated when they were behind the end */
  drop(count: number): void {
    this.#count -= count;
    if (this.#at - (this.#count >> 3) > this.#bytes.length) throw new Truncated('bzip2: the stream ends too soon');
  }

  /** Takes what is left of the byte that was begun. */
  align(): void {
    this.#count -= this.#count & 7;
  }
}
