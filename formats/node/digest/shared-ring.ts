import type { Digester } from './digest.ts';

/** One message to a hashing thread costs as much as hashing tens of kilobytes: bytes travel in pieces of this size. */
const PIECE_BYTES = 2 * 1024 * 1024;
/** Pieces in memory: one being filled, the others being hashed. */
const PIECES = 3;
/** Zeros below this are bytes as any others; more of them travel as a number. */
const LONG_ZEROS = 1024 * 1024;
/** Zeros in one message: who counts progress is told on the way. */
const MOST_ZEROS = 256 * 1024 * 1024;

const ZEROS = Buffer.alloc(LONG_ZEROS);

interface Piece {
  readonly bytes: Buffer;
  /** Resolves when every thread is done with it. */
  free: Promise<void>;
}

/**
 * Gathers chunks of any size into shared memory and hands them to a digester while the next piece fills: for streams that arrive
 * in small chunks. Memory is 6 MiB, whatever passes.
 */
export class SharedRing {
  readonly #digester: Digester;
  readonly #pieces: readonly Piece[];
  #current = 0;
  #filled = 0;
  /** Zeros that came last and are not handed over yet. */
  #zeros = 0;
  #zeroing: Promise<void> = Promise.resolve();

  constructor(digester: Digester) {
    this.#digester = digester;
    this.#pieces = Array.from({ length: PIECES }, () => ({
      bytes: Buffer.from(new SharedArrayBuffer(PIECE_BYTES)),
      free: Promise.resolve(),
    }));
  }

  /** Takes the bytes, which may be reused when the promise resolves; wait for it before the next call. @throws as `Digester.update` */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#zeros > 0) await this.#settleZeros();
    await this.#append(chunk);
  }

  /** As `write` of so many zeros, which are not copied when they are many. @throws as `Digester.update` */
  async writeZeros(length: number): Promise<void> {
    this.#zeros += length;
    while (this.#zeros >= MOST_ZEROS) await this.#handZeros(MOST_ZEROS);
  }

  /** Hands over the rest and gives the digests. @throws as `Digester.update` */
  async digest(): Promise<Readonly<Record<string, string>>> {
    await this.#settleZeros();
    if (this.#filled > 0) this.#hand();
    await Promise.all([this.#zeroing, ...this.#pieces.map((piece) => piece.free)]);
    return this.#digester.digest();
  }

  async #append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const piece = this.#piece();
      if (this.#filled === 0) await piece.free;
      const length = Math.min(PIECE_BYTES - this.#filled, bytes.length - at);
      piece.bytes.set(bytes.subarray(at, at + length), this.#filled);
      this.#filled += length;
      at += length;
      if (this.#filled === PIECE_BYTES) this.#hand();
    }
  }

  async #settleZeros(): Promise<void> {
    const zeros = this.#zeros;
    if (zeros >= LONG_ZEROS) return this.#handZeros(zeros);
    this.#zeros = 0;
    await this.#append(ZEROS.subarray(0, zeros));
  }

  async #handZeros(length: number): Promise<void> {
    if (this.#filled > 0) this.#hand();
    this.#zeros -= length;
    await this.#zeroing;
    this.#zeroing = met(this.#digester.zeros(length));
  }

  #piece(): Piece {
    const piece = this.#pieces[this.#current];
    if (piece === undefined) throw new RangeError(`no piece ${this.#current}`);
    return piece;
  }

  #hand(): void {
    const piece = this.#piece();
    piece.free = met(this.#digester.update(piece.bytes.subarray(0, this.#filled)));
    this.#filled = 0;
    this.#current = (this.#current + 1) % PIECES;
  }
}

/** A failure is met where the promise is awaited, later; until then it must not count as unhandled. */
function met(promise: Promise<void>): Promise<void> {
  promise.catch(() => undefined);
  return promise;
}
