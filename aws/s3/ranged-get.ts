import type { Readable } from 'node:stream';
import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { abortReason } from '../../bytes/abort-reason.ts';
import type { RangedRead, ReadOptions } from '../../bytes/store.ts';
import { bodyBatches } from './body-batches.ts';
import { abortable, type Bucket } from './bucket.ts';
import { translate } from './failures.ts';

/** Times a body that breaks off is continued from where it broke. */
const RESUMES = 3;

/**
 * A range GET whose request is under way from the moment it is made, so that a reader opens the next ones while it consumes the
 * first; until consumed, a body waits in socket buffers. Chunks come as the socket delivers them, uncopied, in batches.
 */
export class RangedGet implements RangedRead {
  readonly #at: Bucket;
  readonly #key: string;
  readonly #end: number;
  readonly #options: ReadOptions;
  #position: number;
  #first: Promise<Readable> | undefined;
  #current: Readable | undefined;

  /** Bytes [start, end) of an object; `end > start`. */
  constructor(at: Bucket, key: string, start: number, end: number, options: ReadOptions = {}) {
    this.#at = at;
    this.#key = key;
    this.#position = start;
    this.#end = end;
    this.#options = options;
    this.#first = this.#open();
    // The failure is reported to whoever consumes; a read-ahead that nobody consumes must not end the process.
    this.#first.catch(() => undefined);
  }

  /** @throws NotFound, SourceChanged, Truncated, BackendUnavailable, or the reason of the aborted signal */
  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Uint8Array[], void, undefined> {
    let failures = 0;
    try {
      while (this.#position < this.#end) {
        const before = this.#position;
        try {
          yield* this.#consume();
        } catch (error) {
          failures = this.#position > before ? 1 : failures + 1;
          this.#giveUpOn(error, failures);
        }
      }
    } finally {
      this.cancel();
    }
  }

  /** Gives the connection up; for read-ahead that is not needed any more. Idempotent. */
  cancel(): void {
    this.#current?.destroy();
    const first = this.#first;
    this.#first = undefined;
    first?.then(
      (body) => body.destroy(),
      () => undefined,
    );
  }

  async *#consume(): AsyncGenerator<readonly Uint8Array[], void, undefined> {
    const opened = this.#first ?? this.#open();
    this.#first = undefined;
    this.#current = await opened;
    for await (const batch of bodyBatches(this.#current)) {
      for (const chunk of batch) this.#position += chunk.length;
      yield batch;
    }
    this.#current = undefined;
    if (this.#position < this.#end) throw new Error(`the body ended at ${this.#position} of ${this.#end}`);
  }

  /** Returns when it is worth to ask for the rest again. */
  #giveUpOn(error: unknown, failures: number): void {
    if (error instanceof RequestFailed) throw error.failure;
    if (failures <= RESUMES && this.#options.signal?.aborted !== true) return;
    throw translate(error, this.#at, this.#key, this.#options.signal);
  }

  async #open(): Promise<Readable> {
    const { etag, signal } = this.#options;
    if (signal?.aborted === true) throw abortReason(signal);
    try {
      const answer: GetObjectCommandOutput = await this.#at.client.send(
        new GetObjectCommand({
          Bucket: this.#at.bucket,
          Key: this.#key,
          Range: `bytes=${this.#position}-${this.#end - 1}`,
          ...(etag === undefined ? {} : { IfMatch: etag }),
        }),
        abortable(signal),
      );
      return answer.Body as Readable;
    } catch (error) {
      throw new RequestFailed(translate(error, this.#at, this.#key, signal), { cause: error });
    }
  }
}

/** The request itself failed, after the SDK's own retries: continuing would not help. */
class RequestFailed extends Error {
  readonly failure: Error;
  constructor(failure: Error, options: ErrorOptions) {
    super(failure.message, options);
    this.failure = failure;
  }
}
