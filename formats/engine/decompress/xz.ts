/**
 * .xz streams of any number of blocks and streams, expanded by a WebAssembly build of XZ Embedded: its dictionaries are
 * limited to 64 MiB (what `xz -9` makes), and it works in turns of one chunk on the calling thread.
 */
import xz from 'xz-decompress';
import { Corrupt, type FormatError, LimitExceeded, Truncated, Unsupported } from '../errors.ts';
import type { ByteSource } from '../source.ts';
import { readChunks } from './read-chunks.ts';

/** Return codes of XZ Embedded (xz.h, enum xz_ret) that are not damage. */
const MEANINGS: Readonly<Record<string, (cause: Error) => FormatError>> = {
  3: (cause) => new LimitExceeded('xz: no memory for the dictionary', { cause }),
  4: (cause) => new LimitExceeded('xz: the dictionary is larger than 64 MiB', { cause }),
  6: (cause) => new Unsupported('xz: a filter or option of the stream is not supported', { cause }),
  8: (cause) => new Truncated('xz: the stream ends too soon', { cause }),
};

/** Expands an object, integrity checks included. @throws Corrupt, Truncated, Unsupported, LimitExceeded */
export async function* xzChunks(source: ByteSource): AsyncGenerator<Uint8Array> {
  const input = streamOf(readChunks(source, 0, source.size));
  const output = new xz.XzReadableStream(input).getReader();
  try {
    for (let next = await output.read(); !next.done; next = await output.read()) yield next.value;
  } catch (error) {
    throw typedError(error);
  } finally {
    await output.cancel().catch(() => undefined);
  }
}

/** What `ReadableStream.from` gives where it is known. */
function streamOf(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
}

/** The library says "... failed with error code N", a trap is a RuntimeError; everything else comes from the source. */
function typedError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === 'RuntimeError') return new Corrupt(`xz: ${error.message}`, { cause: error });
  const code = /failed with error code (\d+)$/u.exec(error.message)?.[1];
  if (code === undefined) return error;
  return MEANINGS[code]?.(error) ?? new Corrupt(`xz: the stream is damaged (code ${code})`, { cause: error });
}
