import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Corrupt, FormatError, Truncated } from '../errors.ts';
import type { ByteSource } from '../source.ts';

/** One ranged read: large enough for S3 to be worth a request, small beside a function's memory. */
const READ_BYTES = 4 * 1024 * 1024;

/** The bytes [start, end) of a source, front to back. Reads only as fast as the consumer takes. */
export async function* readChunks(source: ByteSource, start: number, end: number): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; at += READ_BYTES) yield await source.read(at, Math.min(READ_BYTES, end - at));
}

/**
 * Bytes through one of Node's codecs, with back-pressure. Leaving the loop early stops the reading.
 * @throws Truncated when the stream ends too soon, Corrupt when it is not what it should be, what `input` throws
 */
export async function* throughCodec(
  input: AsyncIterable<Uint8Array>,
  codec: Transform,
  what: string,
): AsyncGenerator<Uint8Array> {
  const piped = pipeline(Readable.from(input, { objectMode: false }), codec, { end: true });
  // The failure reaches the consumer through the codec, which the pipeline destroys with it.
  piped.catch(() => undefined);
  try {
    yield* codec as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw typedError(error, what);
  }
}

function typedError(error: unknown, what: string): unknown {
  if (error instanceof FormatError || !(error instanceof Error)) return error;
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'Z_BUF_ERROR') return new Truncated(`${what} ends too soon`, { cause: error });
  return /^(Z_|ZSTD_|ERR_ZSTD)/u.test(code) ? new Corrupt(`${what}: ${error.message}`, { cause: error }) : error;
}
