import { closeSync, fdatasync, write, writeSync, writev } from 'node:fs';
import { promisify } from 'node:util';
import type { BlobStore } from '../store/blobs.ts';
import type { Segment } from '../store/model.ts';

/** Bytes gathered before they are written in one call; one such batch is written while the next one arrives. */
const BATCH_BYTES = 1024 * 1024;

/** Bodies up to this size are written in place: shorter than the way to the thread pool and back. */
const INLINE_BYTES = 128 * 1024;

/** Writes one body into a new blob file, holding at most two batches in memory. */
export class BlobWriter {
  readonly #blobs: BlobStore;
  readonly #fsync: boolean;
  #blob: { readonly id: string; readonly file: number } | undefined;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #writtenBytes = 0;
  /** The write under way; never rejects, its error is kept in #failure until someone asks. */
  #writing: Promise<void> | undefined;
  #failure: unknown;
  #isOpen = false;

  constructor(blobs: BlobStore, fsync: boolean) {
    this.#blobs = blobs;
    this.#fsync = fsync;
  }

  /** Takes over `bytes`; the caller must not change them. */
  push(bytes: Buffer): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
  }

  /** A promise to await before pushing more, or undefined when there is room. Rejects with the write's error. */
  room(): Promise<void> | undefined {
    if (this.#pendingBytes < BATCH_BYTES) return undefined;
    if (this.#writing !== undefined) return this.#writing.then(() => this.#startBatch());
    this.#startBatch();
    return undefined;
  }

  /** Writes what is left and closes the file. Returns where the bytes are: one segment, or none for an empty body. */
  async finish(): Promise<Segment[]> {
    await this.#writing;
    this.#throwFailure();
    if (this.#blob === undefined && this.#pendingBytes === 0) return [];
    const { id, file } = this.#open();
    if (this.#pendingBytes <= INLINE_BYTES && this.#writtenBytes === 0) {
      this.#writtenBytes = writeWhole(file, this.#pending);
    } else {
      this.#startBatch();
      await this.#writing;
      this.#throwFailure();
    }
    if (this.#fsync) await promisify(fdatasync)(file);
    this.#close(file);
    return [[id, 0, this.#writtenBytes]];
  }

  /** Gives up: waits for the write under way and deletes the file. Never rejects. */
  async discard(): Promise<void> {
    await this.#writing;
    if (this.#blob === undefined) return;
    this.#close(this.#blob.file);
    this.#blobs.remove(this.#blob.id);
  }

  #open(): { readonly id: string; readonly file: number } {
    if (this.#blob === undefined) {
      this.#blob = this.#blobs.create();
      this.#isOpen = true;
    }
    return this.#blob;
  }

  /** Once only: a descriptor closed twice may by then belong to another blob. */
  #close(file: number): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(file);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #startBatch(): void {
    this.#throwFailure();
    const batch = this.#pending;
    if (batch.length === 0) return;
    const { file } = this.#open();
    const position = this.#writtenBytes;
    this.#writtenBytes += this.#pendingBytes;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#writing = writeBatch(file, batch, position)
      .catch((error: unknown) => {
        this.#failure = error;
      })
      .finally(() => {
        this.#writing = undefined;
      });
  }
}

function writeWhole(file: number, buffers: readonly Buffer[]): number {
  let total = 0;
  for (const buffer of buffers) {
    for (let done = 0; done < buffer.length; ) done += writeSync(file, buffer, done);
    total += buffer.length;
  }
  return total;
}

async function writeBatch(file: number, buffers: readonly Buffer[], position: number): Promise<void> {
  const total = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
  let done = await new Promise<number>((resolve, reject) => {
    writev(file, buffers, position, (error, written) => (error === null ? resolve(written) : reject(error)));
  });
  if (done === total) return;
  // A short write is rare (a nearly full disk): finish the rest piece by piece.
  const rest = Buffer.concat(buffers as Buffer[]);
  while (done < total) {
    done += await new Promise<number>((resolve, reject) => {
      write(file, rest, done, total - done, position + done, (error, n) =>
        error === null ? resolve(n) : reject(error),
      );
    });
  }
}
