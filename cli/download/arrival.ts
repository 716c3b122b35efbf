/** A file that arrives in chunks, several at once; who waits for bytes gets theirs first. */
import { type FileHandle, open } from 'node:fs/promises';
import { assertWithin, type ByteSource } from '../../formats/engine/source.ts';
import { isZero } from '../../formats/node/codecs/bytes.ts';
import { isWorthATry, type Tries, trying } from '../transfer/tries.ts';
import { LinkRefused, type RangeReader } from './ranges.ts';

export interface ArrivalOptions {
  readonly path: string;
  readonly size: number;
  readonly chunk: number;
  /** Chunks that are there. */
  readonly done: readonly number[];
  readonly lanes: number;
  readonly signal: AbortSignal;
  readonly tries?: Tries;
  /** Told the bytes that are there or on their way. */
  onProgress?(bytes: number): void;
  /** Told, now and then, which chunks are safe on the disk. */
  onSafe(done: readonly number[]): void;
}

/** Bytes gathered before they are written, and tested for zeros in blocks. */
const GATHER = 1024 * 1024;
const BLOCK = 64 * 1024;
const SAFE_EVERY_MS = 1000;

/** A connection that ended before all was there. */
class Short extends Error {
  readonly code = 'ECONNRESET';
}

export class Arrival {
  readonly #file: FileHandle;
  readonly #ranges: RangeReader;
  readonly #options: ArrivalOptions;
  /** By number of the chunk: that it is there. */
  readonly #there: PromiseWithResolvers<void>[];
  readonly #done: Set<number>;
  /** Numbers of chunks that nobody fetches yet; those that are waited for stand at the end. */
  readonly #todo: number[];
  #bytes = 0;
  #safeAt = performance.now();
  #isClosed = false;

  private constructor(file: FileHandle, ranges: RangeReader, options: ArrivalOptions) {
    this.#file = file;
    this.#ranges = ranges;
    this.#options = options;
    this.#done = new Set(options.done);
    this.#there = Array.from({ length: Math.ceil(options.size / options.chunk) }, () => Promise.withResolvers<void>());
    // Who waits hears of a failure; `run` throws it in any case.
    for (const { promise } of this.#there) promise.catch(() => undefined);
    this.#todo = [...this.#there.keys()].filter((n) => !this.#done.has(n)).reverse();
    for (const n of this.#done) {
      this.#there[n]?.resolve();
      this.#bytes += this.#length(n);
    }
  }

  /** Opens or makes the file; zeros that arrive are holes in it. @throws the file system's errors */
  static async open(ranges: RangeReader, options: ArrivalOptions): Promise<Arrival> {
    const file = await open(options.path, options.done.length > 0 ? 'r+' : 'w+');
    try {
      await file.truncate(options.size);
    } catch (error) {
      await file.close();
      throw error;
    }
    return new Arrival(file, ranges, options);
  }

  #length(n: number): number {
    return Math.min(this.#options.chunk, this.#options.size - n * this.#options.chunk);
  }

  /** Fetches what is missing. @throws what ends it: the network's, the service's, the file system's errors, the signal's reason */
  async run(): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    const lane = async (): Promise<void> => {
      for (let n = this.#todo.pop(); n !== undefined && failure === undefined; n = this.#todo.pop()) {
        try {
          await this.#fetch(n);
          this.#done.add(n);
          this.#there[n]?.resolve();
          await this.#note();
        } catch (error) {
          failure ??= { error };
        }
      }
    };
    await Promise.all(Array.from({ length: this.#options.lanes }, lane));
    await this.#note(true).catch((error: unknown) => {
      failure ??= { error };
    });
    if (failure === undefined) return;
    for (const { reject } of this.#there) reject(failure.error);
    throw failure.error;
  }

  async #note(isLast = false): Promise<void> {
    if (!isLast && performance.now() - this.#safeAt < SAFE_EVERY_MS) return;
    this.#safeAt = performance.now();
    const done = [...this.#done];
    await this.#file.datasync();
    this.#options.onSafe(done);
  }

  /** One chunk, from where the try before ended. */
  async #fetch(n: number): Promise<void> {
    const start = n * this.#options.chunk;
    const length = this.#length(n);
    let got = 0;
    await trying(
      async () => {
        const stream = await this.#ranges.read(start + got, length - got, this.#options.signal);
        const gathered = new Gathered(this.#file, start + got);
        try {
          for await (const piece of stream) {
            if (got + piece.length > length) throw new Error('more bytes came than were asked for');
            this.#options.signal.throwIfAborted();
            await gathered.add(piece);
            got += piece.length;
            this.#bytes += piece.length;
            this.#options.onProgress?.(this.#bytes);
          }
        } finally {
          await gathered.flush();
        }
        if (got < length) throw new Short(`${length - got} bytes of a range are missing`);
      },
      { ...this.#options, isWorthATry: (error) => error instanceof LinkRefused || isWorthATry(error) },
    );
  }

  /** The bytes as a source: a read waits for what it wants. */
  source(etag: string): ByteSource {
    const { size, chunk } = this.#options;
    const readInto = async (offset: number, target: Uint8Array): Promise<void> => {
      assertWithin({ size }, offset, target.length);
      if (target.length === 0) return;
      const last = Math.floor((offset + target.length - 1) / chunk);
      for (let n = Math.floor(offset / chunk); n <= last; n++) {
        this.#first(n);
        await this.#there[n]?.promise;
      }
      for (let done = 0; done < target.length; ) {
        const { bytesRead } = await this.#file.read(target, done, target.length - done, offset + done);
        if (bytesRead === 0) throw new Error(`${this.#options.path} was cut while it arrived`);
        done += bytesRead;
      }
    };
    return {
      size,
      etag,
      gapBytes: 0,
      readInto,
      async read(offset, length) {
        const target = Buffer.allocUnsafeSlow(length);
        await readInto(offset, target);
        return target;
      },
    };
  }

  /** The next lane that is free fetches this chunk. */
  #first(n: number): void {
    const at = this.#todo.lastIndexOf(n);
    if (at >= 0) this.#todo.push(...this.#todo.splice(at, 1));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#file.close();
  }
}

/** Bytes in order, written a MiB at a time; blocks of zeros are not written, for the file has holes there. */
class Gathered {
  readonly #file: FileHandle;
  readonly #buffer = Buffer.allocUnsafe(GATHER);
  #at: number;
  #fill = 0;

  constructor(file: FileHandle, at: number) {
    this.#file = file;
    this.#at = at;
  }

  async add(piece: Uint8Array): Promise<void> {
    for (let done = 0; done < piece.length; ) {
      const taken = Math.min(piece.length - done, GATHER - this.#fill);
      this.#buffer.set(piece.subarray(done, done + taken), this.#fill);
      this.#fill += taken;
      done += taken;
      if (this.#fill === GATHER) await this.flush();
    }
  }

  async flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#fill);
    const at = this.#at;
    this.#at += this.#fill;
    this.#fill = 0;
    for (let start = 0; start < bytes.length; ) {
      const zero = isZero(bytes.subarray(start, start + BLOCK));
      let end = start + BLOCK;
      while (end < bytes.length && isZero(bytes.subarray(end, end + BLOCK)) === zero) end += BLOCK;
      const run = bytes.subarray(start, end);
      for (let done = 0; !zero && done < run.length; ) {
        done += (await this.#file.write(run, done, run.length - done, at + start + done)).bytesWritten;
      }
      start = end;
    }
  }
}
