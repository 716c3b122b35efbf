/**
 * What is inside a gzip stream as a source of its own. There is no random access into such a stream: it is measured in one pass, which
 * keeps both ends, where formats have their tables; reads in between go forward through another pass.
 */
import { expand } from '#codecs/expand.ts';
import { concat } from './bytes.ts';
import { readChunks } from './decompress/read-chunks.ts';
import { LimitExceeded, Truncated } from './errors.ts';
import { assertWithin, type ByteSource } from './source.ts';

/** Bytes at both ends that stay in memory. */
const KEPT_BYTES = 4 * 1024 * 1024;
/** Pieces behind the latest read that stay in memory: reads of neighbours may overtake each other a little. */
const RECENT_PIECES = 16;
/** A disk that is read in order needs few passes; one that is read back and forth would cost its whole length for each read. */
const MAX_PASSES = 32;
/** Real disks, compressed once more, shrink much less, above as many bytes. */
const MAX_RATIO = 200;
const RATIO_FLOOR = 256 * 1024 * 1024;

/** A stretch of what came out. */
interface Piece {
  /** Offset of its first byte. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/**
 * Reads the whole stream once.
 * @param maxBytes that may come out
 * @throws LimitExceeded above it, or above 200 to 1 for a stream that gives more than 256 MiB; Corrupt, Truncated
 */
export async function gunzippedSource(packed: ByteSource, maxBytes: number): Promise<ByteSource> {
  const { head, tail, size } = await measured(packed, maxBytes);
  const passes = new Passes(packed);
  const ends: readonly Piece[] = [
    { at: 0, bytes: head },
    { at: size - tail.length, bytes: tail },
  ];
  async function readInto(offset: number, target: Uint8Array): Promise<void> {
    assertWithin({ size }, offset, target.length);
    const end = ends.find(({ at, bytes }) => offset >= at && offset + target.length <= at + bytes.length);
    if (end === undefined) await passes.readInto(offset, target);
    else target.set(end.bytes.subarray(offset - end.at, offset - end.at + target.length));
  }
  return {
    size,
    ...(packed.etag === undefined ? {} : { etag: packed.etag }),
    async read(offset, length) {
      assertWithin({ size }, offset, length);
      const target = new Uint8Array(length);
      await readInto(offset, target);
      return target;
    },
    readInto,
  };
}

const unpacked = (packed: ByteSource): AsyncIterable<Uint8Array> =>
  expand('gzip', readChunks(packed, 0, packed.size), 'gzip disk');

async function measured(
  packed: ByteSource,
  maxBytes: number,
): Promise<{ readonly head: Uint8Array; readonly tail: Uint8Array; readonly size: number }> {
  const head: Uint8Array[] = [];
  const tail: Uint8Array[] = [];
  let size = 0;
  let inTail = 0;
  for await (const chunk of unpacked(packed)) {
    if (size < KEPT_BYTES) head.push(chunk);
    size += chunk.length;
    assertBounded(size, packed.size, maxBytes);
    tail.push(chunk);
    inTail += chunk.length;
    for (let [first] = tail; first !== undefined && inTail - first.length >= KEPT_BYTES; [first] = tail) {
      inTail -= first.length;
      tail.shift();
    }
  }
  return { head: concat(head), tail: concat(tail), size };
}

function assertBounded(size: number, packedSize: number, maxBytes: number): void {
  if (size > maxBytes)
    throw new LimitExceeded(`gzip disk: more than the ${maxBytes} bytes that were declared come out`);
  if (size > RATIO_FLOOR && size > packedSize * MAX_RATIO) {
    throw new LimitExceeded(`gzip disk: ${size} bytes come out of ${packedSize}, above ${MAX_RATIO} to 1`);
  }
}

/** Reads by going forward; behind what it remembers it begins again. */
class Passes {
  readonly #packed: ByteSource;
  #chunks: AsyncIterator<Uint8Array> | undefined;
  #recent: Piece[] = [];
  /** Bytes that came out in this pass. */
  #end = 0;
  #count = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(packed: ByteSource) {
    this.#packed = packed;
  }

  /** One after another, in the order of the calls. */
  readInto(offset: number, target: Uint8Array): Promise<void> {
    const done = this.#last.then(() => this.#fill(offset, target));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #fill(offset: number, target: Uint8Array): Promise<void> {
    for (let done = 0; done < target.length; ) {
      const { at, bytes } = await this.#pieceWith(offset + done);
      const from = offset + done - at;
      const part = bytes.subarray(from, from + target.length - done);
      target.set(part, done);
      done += part.length;
    }
  }

  async #pieceWith(offset: number): Promise<Piece> {
    const known = this.#recent.find(({ at, bytes }) => offset >= at && offset < at + bytes.length);
    if (known !== undefined) return known;
    const chunks = this.#chunks === undefined || offset < this.#end ? await this.#begin() : this.#chunks;
    for (;;) {
      const { done, value } = await chunks.next();
      if (done === true) throw new Truncated(`gzip disk: ${this.#end} bytes came out, of ${offset} and more before`);
      const piece = { at: this.#end, bytes: value };
      this.#end += value.length;
      this.#recent.push(piece);
      if (this.#recent.length > RECENT_PIECES) this.#recent.shift();
      if (offset < this.#end) return piece;
    }
  }

  async #begin(): Promise<AsyncIterator<Uint8Array>> {
    await this.#chunks?.return?.();
    if (++this.#count > MAX_PASSES) {
      throw new LimitExceeded(`gzip disk: it is read back and forth, which takes more than ${MAX_PASSES} passes`);
    }
    this.#recent = [];
    this.#end = 0;
    this.#chunks = unpacked(this.#packed)[Symbol.asyncIterator]();
    return this.#chunks;
  }
}
