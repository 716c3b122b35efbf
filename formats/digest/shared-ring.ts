import type { Digester } from './digest.ts';

/** One message to a hashing thread costs as much as hashing tens of kilobytes: bytes travel in pieces of this size. */
const PIECE_BYTES = 4 * 1024 * 1024;
/** Pieces in memory: one being filled, the others being hashed. */
const PIECES = 3;

/** Hashed again and again, never written to. */
const ZEROS = Buffer.from(new SharedArrayBuffer(PIECE_BYTES));

interface Piece {
  readonly bytes: Buffer;
  /** Resolves when every thread is done with it. */
  free: Promise<void>;
}

/**
 * Gathers chunks of any size into shared memory and hands them to a digester while the next piece fills: for streams that arrive
 * in small chunks. Memory is 12 MiB, whatever passes.
 */
export class SharedRing {
  readonly #digester: Digester;
  readonly #pieces: readonly Piece[];
  #current = 0;
  #filled = 0;

  constructor(digester: Digester) {
    this.#digester = digester;
    this.#pieces = Array.from({ length: PIECES }, () => ({
      bytes: Buffer.from(new SharedArrayBuffer(PIECE_BYTES)),
      free: Promise.resolve(),
    }));
  }

  /** Takes the bytes at once; a promise means: wait before the next chunk. @throws as `Digester.update` */
  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const piece = this.#piece();
      if (this.#filled === 0) await piece.free;
      const length = Math.min(PIECE_BYTES - this.#filled, chunk.length - at);
      piece.bytes.set(chunk.subarray(at, at + length), this.#filled);
      this.#filled += length;
      at += length;
      if (this.#filled === PIECE_BYTES) this.#hand();
    }
  }

  /** As `write` of so many zeros, which are not copied. @throws as `Digester.update` */
  async writeZeros(length: number): Promise<void> {
    const toFill = this.#filled === 0 ? 0 : Math.min(length, PIECE_BYTES - this.#filled);
    if (toFill > 0) await this.write(ZEROS.subarray(0, toFill));
    for (let left = length - toFill; left > 0; left -= Math.min(left, PIECE_BYTES)) {
      if (left < PIECE_BYTES) await this.write(ZEROS.subarray(0, left));
      else await this.#digester.update(ZEROS);
    }
  }

  /** Hands over the rest and gives the digests. @throws as `Digester.update` */
  async digest(): Promise<Readonly<Record<string, string>>> {
    if (this.#filled > 0) this.#hand();
    await Promise.all(this.#pieces.map((piece) => piece.free));
    return this.#digester.digest();
  }

  #piece(): Piece {
    const piece = this.#pieces[this.#current];
    if (piece === undefined) throw new RangeError(`no piece ${this.#current}`);
    return piece;
  }

  #hand(): void {
    const piece = this.#piece();
    piece.free = this.#digester.update(piece.bytes.subarray(0, this.#filled));
    // A failure is met where the piece is used next; until then it must not count as unhandled.
    piece.free.catch(() => undefined);
    this.#filled = 0;
    this.#current = (this.#current + 1) % PIECES;
  }
}
