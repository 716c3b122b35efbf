import { LimitExceeded } from '../core/errors.ts';
import { type BufferSource, createBufferBudget } from './buffer-budget.ts';
import { Cutter } from './cutter.ts';
import { dataKey } from './keys.ts';
import { newUpload, type OpenUpload } from './noted-upload.ts';
import { partSize } from './part-size.ts';
import type { PartBounds, Store } from './store.ts';
import type { Layout } from './stored-bytes.ts';

/** What a writer left in the place. */
export interface Written {
  readonly layout: Layout;
  /** Bytes written to the writer, which a reader gets back. */
  readonly size: number;
  /** Bytes they take in the place. */
  readonly storedBytes: number;
  /** Of the object, for `plain`. */
  readonly etag?: string;
}

/** A stream of bytes on its way into a place. */
export interface ByteWriter {
  readonly layout: Layout;
  /** Bytes taken so far. */
  readonly total: number;
  /**
   * Takes a chunk; a promise means: wait before the next one. The chunk may be reused afterwards.
   * @throws BackendUnavailable, NotFound (bucket), what `guard` and `tap` throw, the signal's reason
   */
  write(chunk: Uint8Array): Promise<void> | undefined;
  /** Makes what was written readable. @throws as `write` */
  finish(): Promise<Written>;
  /**
   * Stops and removes unfinished parts, but for those of an upload that is noted and that another attempt may finish after this error.
   * Objects already complete are for whoever sweeps the prefix. Never throws.
   */
  abort(error?: unknown): Promise<void>;
}

export interface WriterOptions {
  readonly signal?: AbortSignal | undefined;
  /** Memory shared with other writers; default: 64 MiB of its own. */
  readonly budget?: BufferSource | undefined;
  /** Bytes that will come, when known: lets the part size fit. */
  readonly totalBytes?: number | undefined;
  /** Called before each write to the place; throwing stops the writer. */
  readonly guard?: (() => Promise<void>) | undefined;
  /** Sees all bytes in order, in shared memory, while they are being stored (for hashing). */
  readonly tap?: ((bytes: Buffer) => Promise<void>) | undefined;
}

/** Pieces being stored at once; more gains nothing on one connection each. */
export const IN_FLIGHT = 3;
export const OWN_BUDGET = 64 * 1024 * 1024;

export interface PlainWriterOptions extends WriterOptions {
  /** One that may have parts of the same bytes already; default: a new one. */
  readonly upload?: OpenUpload | undefined;
  /** Whoever writes goes on behind the parts that stand, at `total`; otherwise he writes everything, and what stands is not stored again. */
  readonly goesOn?: boolean | undefined;
}

/** The signal and budget a writer works with, and the way to end both. */
export function writerTools(options: WriterOptions): { signal: AbortSignal; stop: () => void; budget: BufferSource } {
  const stopped = new AbortController();
  const signal = options.signal === undefined ? stopped.signal : AbortSignal.any([options.signal, stopped.signal]);
  return {
    signal,
    stop: () => stopped.abort(new Error('the writer was stopped')),
    budget: options.budget ?? createBufferBudget(OWN_BUDGET),
  };
}

/**
 * Writes `{prefix}data`: one request for a small object, a multipart upload for all others. No part is larger than a buffer may be.
 * @throws LimitExceeded for more bytes than fit the parts, at once when their number is known
 */
export function plainWriter(store: Store, prefix: string, options: PlainWriterOptions = {}): ByteWriter {
  const { signal, stop, budget } = writerTools(options);
  const key = dataKey(prefix);
  const bounds = boundsOf(store.abilities, budget);
  const { maxParts } = bounds;
  const tooMany = (): LimitExceeded =>
    new LimitExceeded(
      `The image does not fit the ${maxParts} parts of at most ${bounds.maxPartBytes} bytes it may have`,
    );
  if (options.totalBytes !== undefined && options.totalBytes > maxParts * partSize(0, bounds, options.totalBytes))
    throw tooMany();
  const { multipart, parts, giveUp } = options.upload ?? newUpload(store, key, { signal });
  const sizeOf = (n: number): number => partSize(n, bounds, options.totalBytes);
  const front = standingFront(parts, sizeOf, options.totalBytes);
  const skipped = options.goesOn === true ? front : NOTHING;
  let etag: string | undefined;
  const cutter = new Cutter({
    sizeOf,
    first: skipped.count,
    budget,
    inFlight: IN_FLIGHT,
    signal,
    tap: options.tap,
    store: async (n, bytes, last) => {
      if (n >= maxParts) throw tooMany();
      await options.guard?.();
      if (n === 0 && last) etag = await store.putObject(key, bytes, { signal });
      else if (n >= front.count) await multipart.putPart(n, bytes);
    },
  });
  return {
    layout: 'plain',
    get total() {
      return skipped.bytes + cutter.total;
    },
    write: (chunk) => cutter.write(chunk),
    async finish() {
      const pieces = await cutter.finish();
      const size = skipped.bytes + cutter.total;
      await options.guard?.();
      if (pieces === 0) etag = await store.putObject(key, Buffer.alloc(0), { signal });
      etag ??= await multipart.complete();
      return { layout: 'plain', size, storedBytes: size, etag };
    },
    async abort(error) {
      stop();
      await cutter.abandon();
      await (error === undefined ? multipart.abort() : giveUp(error));
    },
  };
}

interface Front {
  readonly count: number;
  readonly bytes: number;
}

const NOTHING: Front = { count: 0, bytes: 0 };

/** The parts that stand one after another from the first, each as long as it will be cut. */
function standingFront(
  parts: ReadonlyMap<number, number>,
  sizeOf: (n: number) => number,
  totalBytes = Number.POSITIVE_INFINITY,
): Front {
  let { count, bytes } = NOTHING;
  for (let length = 0; bytes < totalBytes; bytes += length, count += 1) {
    length = Math.min(sizeOf(count), totalBytes - bytes);
    if (parts.get(count) !== length) break;
  }
  return { count, bytes };
}

export function boundsOf(abilities: PartBounds, { largestBytes }: BufferSource): PartBounds {
  const { minPartBytes, maxPartBytes, maxParts } = abilities;
  return { minPartBytes, maxParts, maxPartBytes: Math.min(maxPartBytes, Math.max(minPartBytes, largestBytes)) };
}
