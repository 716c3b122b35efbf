import type { ByteSource } from '../source.ts';

/** One ranged read: large enough for S3 to be worth a request, small beside a function's memory. */
const READ_BYTES = 4 * 1024 * 1024;

/** The bytes [start, end) of a source, front to back. Reads only as fast as the consumer takes. */
export async function* readChunks(source: ByteSource, start: number, end: number): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; at += READ_BYTES) yield await source.read(at, Math.min(READ_BYTES, end - at));
}
