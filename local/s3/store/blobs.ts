import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, unlink } from 'node:fs';
import { join } from 'node:path';
import type { Segment } from './model.ts';

/** Blob files are spread over 256 folders by the first byte of their id. */
const SHARDS = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

/**
 * Immutable byte files and how often each is referred to: once per segment of an object or part, once per reader in flight.
 * A file goes when its last reference goes; one that no journal entry names (its request was never answered) goes at start.
 */
export class BlobStore {
  readonly #dir: string;
  readonly #references = new Map<string, number>();
  #serving = false;

  constructor(dir: string) {
    this.#dir = dir;
    for (const shard of SHARDS) mkdirSync(join(dir, shard), { recursive: true });
  }

  /** Creates the file of a new blob; nobody refers to it yet. Returns its id and an open file descriptor. */
  create(): { readonly id: string; readonly file: number } {
    const id = randomBytes(16).toString('hex');
    return { id, file: openSync(this.#path(id), 'wx') };
  }

  /** Opens a blob for reading; the caller closes it. */
  open(id: string): number {
    return openSync(this.#path(id), 'r');
  }

  /** Adds one reference per segment. */
  retain(segments: readonly Segment[]): void {
    for (const [id] of segments) this.#references.set(id, (this.#references.get(id) ?? 0) + 1);
  }

  /** Takes one reference per segment away and deletes the files that nobody refers to any more. */
  release(segments: readonly Segment[]): void {
    for (const [id] of segments) {
      const left = (this.#references.get(id) ?? 0) - 1;
      if (left > 0) this.#references.set(id, left);
      else {
        this.#references.delete(id);
        if (this.#serving) this.remove(id);
      }
    }
  }

  /** Deletes a file that was never referred to. Failure is harmless: the next start sweeps it. */
  remove(id: string): void {
    unlink(this.#path(id), () => undefined);
  }

  /** Deletes every file without a reference and starts deleting on release. Called once, after the journal was replayed. */
  startServing(): void {
    for (const shard of SHARDS) {
      for (const id of readdirSync(join(this.#dir, shard))) {
        if (!this.#references.has(id)) rmSync(join(this.#dir, shard, id), { force: true });
      }
    }
    this.#serving = true;
  }

  #path(id: string): string {
    return join(this.#dir, id.slice(0, 2), id);
  }
}

/** Opens, uses and closes one blob. */
export function withBlob<T>(blobs: BlobStore, id: string, use: (file: number) => T): T {
  const file = blobs.open(id);
  try {
    return use(file);
  } finally {
    closeSync(file);
  }
}

/** The bytes `[start, start + length)` of a segment list, as segments; touching runs of one blob are joined. */
export function sliceSegments(segments: readonly Segment[], start: number, length: number): Segment[] {
  const slices: Segment[] = [];
  let position = 0;
  for (const [blob, offset, size] of segments) {
    const from = Math.max(start - position, 0);
    const to = Math.min(start + length - position, size);
    if (from < to) slices.push([blob, offset + from, to - from]);
    position += size;
    if (position >= start + length) break;
  }
  return slices;
}

/** Joins neighbours that continue each other in one blob, so copying part by part does not fragment an object. */
export function joinSegments(segments: Iterable<Segment>): Segment[] {
  const joined: Segment[] = [];
  for (const segment of segments) {
    const last = joined.at(-1);
    if (last !== undefined && last[0] === segment[0] && last[1] + last[2] === segment[1]) {
      joined[joined.length - 1] = [last[0], last[1], last[2] + segment[2]];
    } else joined.push(segment);
  }
  return joined;
}
