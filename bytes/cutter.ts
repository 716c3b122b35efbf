import { type BufferSource, FIRST_BYTES } from './buffer-budget.ts';

export interface CutterOptions {
  /** Bytes of piece `n`, from 0. */
  sizeOf(n: number): number;
  /** Number of the first piece that is cut; default 0. */
  readonly first?: number | undefined;
  readonly budget: BufferSource;
  /** Pieces being stored at once. */
  readonly inFlight: number;
  readonly signal: AbortSignal;
  /** Stores a piece; `bytes` must not be used after it resolves. `last` is true only for the piece that `finish` completes. */
  store(n: number, bytes: Buffer, last: boolean): Promise<void>;
  /** Sees every piece in order, in shared memory; the buffer is not reused before it resolves. */
  tap?: ((bytes: Buffer) => Promise<void>) | undefined;
}

/**
 * Cuts a stream of chunks of any size into pieces in budgeted buffers and stores several at once. One copy per byte, none per
 * chunk; whoever writes waits when the budget or the lanes are full. The first piece begins in a small buffer: a stream that hardly
 * sends holds hardly any memory.
 */
export class Cutter {
  readonly #options: CutterOptions;
  readonly #storing = new Set<Promise<void>>();
  #buffer: Buffer | undefined;
  #filled = 0;
  #pieces: number;
  #total = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: CutterOptions) {
    this.#options = options;
    this.#pieces = options.first ?? 0;
  }

  /** Bytes written so far. */
  get total(): number {
    return this.#total;
  }

  /** Takes a chunk, which may be reused once the call (or the promise it returns) is done. @throws what `store` threw */
  write(chunk: Uint8Array): Promise<void> | undefined {
    const buffer = this.#buffer;
    if (buffer === undefined || this.#filled + chunk.length >= buffer.length) return this.#writeAcross(chunk);
    if (this.#failure !== undefined) throw this.#failure.error;
    buffer.set(chunk, this.#filled);
    this.#filled += chunk.length;
    this.#total += chunk.length;
    return undefined;
  }

  /** Stores what is left and waits for everything. Returns the number of pieces, those before the first one included. @throws what `store` or `tap` threw */
  async finish(): Promise<number> {
    if (this.#filled > 0) this.#dispatch(true);
    while (this.#storing.size > 0) await Promise.race(this.#storing);
    this.#release();
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#pieces;
  }

  /** Waits until nothing is being stored (the signal makes that soon) and gives the buffers back. Idempotent. */
  async abandon(): Promise<void> {
    while (this.#storing.size > 0) await Promise.race(this.#storing);
    this.#release();
  }

  async #writeAcross(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const buffer = this.#buffer ?? (await this.#room());
      const length = Math.min(chunk.length - at, buffer.length - this.#filled);
      buffer.set(chunk.subarray(at, at + length), this.#filled);
      at += length;
      this.#filled += length;
      this.#total += length;
      if (this.#filled < buffer.length) continue;
      if (buffer.length < this.#options.sizeOf(this.#pieces)) await this.#grow(buffer);
      else this.#dispatch(false);
    }
  }

  async #room(): Promise<Buffer> {
    const { budget, signal, inFlight, sizeOf } = this.#options;
    while (this.#storing.size >= inFlight && this.#failure === undefined) await Promise.race(this.#storing);
    if (this.#failure !== undefined) throw this.#failure.error;
    const bytes = sizeOf(this.#pieces);
    const isFirst = this.#pieces === 0 && bytes > FIRST_BYTES;
    return this.#hold(await (isFirst ? budget.takeFirst(signal) : budget.take(bytes, signal)));
  }

  /** The piece goes on in a buffer of its full size. */
  async #grow(small: Buffer): Promise<void> {
    const { budget, signal, sizeOf } = this.#options;
    this.#hold(await budget.take(sizeOf(this.#pieces), signal)).set(small);
    budget.give(small);
  }

  #hold(buffer: Buffer): Buffer {
    const { budget, signal } = this.#options;
    if (signal.aborted) {
      budget.give(buffer);
      throw signal.reason;
    }
    this.#buffer = buffer;
    return buffer;
  }

  #dispatch(last: boolean): void {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    const bytes = buffer.subarray(0, this.#filled);
    this.#buffer = undefined;
    this.#filled = 0;
    const storing: Promise<void> = Promise.allSettled([
      this.#options.store(this.#pieces++, bytes, last),
      this.#options.tap?.(bytes),
    ]).then((results) => {
      this.#storing.delete(storing);
      this.#options.budget.give(buffer);
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined) this.#failure ??= { error: failed.reason };
    });
    this.#storing.add(storing);
  }

  #release(): void {
    if (this.#buffer !== undefined) this.#options.budget.give(this.#buffer);
    this.#buffer = undefined;
    this.#filled = 0;
  }
}
