import { Decompress, ZstdErrorCode } from 'fzstd';
import type { Codecs, StreamKind } from '../../engine/codecs.ts';
import { Corrupt, Truncated } from '../../engine/errors.ts';
import { zstdNeeds } from '../../engine/zstd-frame.ts';

/** 128 MiB, what every decoder must offer according to the reference implementation; bounds the memory of a frame. */
const MAX_WINDOW = 2 ** 27;
/** The longest header of a frame. */
const HEADER_BYTES = 18;

/**
 * gzip and deflate by the platform, which takes one member, refuses a second one, and does not tell what ends too soon from what is
 * damaged (both are Corrupt); zstd by a decoder that does not look at checksums.
 */
export const expand: Codecs['expand'] = (kind, input, what) =>
  kind === 'zstd' ? unzstd(input, what) : throughPlatform(kind, input, what);

const PLATFORM: Readonly<Record<Exclude<StreamKind, 'zstd'>, 'gzip' | 'deflate-raw'>> = {
  gzip: 'gzip',
  deflate: 'deflate-raw',
};

async function* throughPlatform(
  kind: Exclude<StreamKind, 'zstd'>,
  input: AsyncIterable<Uint8Array>,
  what: string,
): AsyncGenerator<Uint8Array> {
  const codec = new DecompressionStream(PLATFORM[kind]);
  const writer = codec.writable.getWriter();
  const reader = codec.readable.getReader();
  const fed: Fed = {};
  const feeding = feed(input, writer, fed);
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value as Uint8Array;
  } catch (error) {
    if ('failure' in fed) throw fed.failure;
    throw typedError(error, what);
  } finally {
    await reader.cancel().catch(() => undefined);
    await feeding;
  }
}

/** What became of the input. */
interface Fed {
  /** What `input` threw: that must arrive as it is, not as an error of the codec. */
  failure?: unknown;
}

async function feed(
  input: AsyncIterable<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>,
  fed: Fed,
): Promise<void> {
  const chunks = input[Symbol.asyncIterator]();
  for (;;) {
    let next: IteratorResult<Uint8Array>;
    try {
      next = await chunks.next();
    } catch (error) {
      fed.failure = error;
      await writer.abort(error).catch(() => undefined);
      return;
    }
    try {
      if (next.done === true) return await writer.close();
      await writer.write(next.value as Uint8Array<ArrayBuffer>);
    } catch {
      // The codec has said so to the reader, or nobody reads any more.
      await chunks.return?.();
      return;
    }
  }
}

async function* unzstd(input: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<Uint8Array> {
  const out: Uint8Array[] = [];
  let isWhole = false;
  const decoder = new Decompress((part, final) => {
    out.push(part.slice());
    if (final === true) isWhole = true;
  });
  let head = new Uint8Array(0);
  for await (const chunk of input) {
    if (head.length < HEADER_BYTES) {
      head = Uint8Array.from([...head, ...chunk.subarray(0, HEADER_BYTES - head.length)]);
      if (head.length === HEADER_BYTES) assertWindow(head, what);
    }
    decode(decoder, chunk, false, what);
    yield* out.splice(0);
  }
  if (head.length < HEADER_BYTES) assertWindow(head, what);
  decode(decoder, new Uint8Array(0), true, what);
  yield* out.splice(0);
  if (!isWhole) throw new Truncated(`${what} ends too soon`);
}

function assertWindow(head: Uint8Array, what: string): void {
  const { window } = zstdNeeds(head);
  if (window > MAX_WINDOW) throw new Corrupt(`${what}: a window of ${window} bytes, ${MAX_WINDOW} at most`);
}

function decode(decoder: Decompress, chunk: Uint8Array, final: boolean, what: string): void {
  try {
    decoder.push(chunk, final);
  } catch (error) {
    throw typedError(error, what);
  }
}

function typedError(error: unknown, what: string): unknown {
  if (!(error instanceof Error)) return error;
  return 'code' in error && error.code === ZstdErrorCode.UnexpectedEOF
    ? new Truncated(`${what} ends too soon`, { cause: error })
    : new Corrupt(`${what}: ${error.message}`, { cause: error });
}
