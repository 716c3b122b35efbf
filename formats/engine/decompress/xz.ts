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
  8: (cause) => new Truncated('xz: the stream ends too soon', { cause }),
};

const UNSUPPORTED = '6';
/** Filters of a block by their ids (.xz file format 1.2, section 5.3), but for LZMA2. */
const FILTERS: Readonly<Record<number, string>> = {
  3: 'delta',
  4: 'x86',
  5: 'PowerPC',
  6: 'IA-64',
  7: 'ARM',
  8: 'ARM Thumb',
  9: 'SPARC',
  10: 'ARM64',
  11: 'RISC-V',
};
const SHA256_CHECK = 10;
const HEADER_BYTES = 12;

/**
 * What of a stream XZ Embedded does not do, in words; by the first block, whose filters the others share as a rule.
 * @throws what the source throws
 */
async function unsupportedPart(source: ByteSource): Promise<string> {
  const head = await source.read(0, Math.min(source.size, HEADER_BYTES + 32));
  if (head[7] === SHA256_CHECK) return 'xz: the integrity check SHA-256 is not supported, pack it with --check=crc64';
  // Size of the block header, flags (the number of filters less one), id and length of properties of the first filter.
  const flags = head[HEADER_BYTES + 1] ?? 0;
  const filter = (flags & 0xc0) === 0 ? FILTERS[head[HEADER_BYTES + 2] ?? 0] : undefined;
  if (filter === undefined) return 'xz: a filter or option of the stream is not supported, pack it with LZMA2 alone';
  return `xz: the filter ${filter} is not supported, pack it with LZMA2 alone`;
}

/** Expands an object, integrity checks included. @throws Corrupt, Truncated, Unsupported, LimitExceeded */
export async function* xzChunks(source: ByteSource): AsyncGenerator<Uint8Array> {
  const input = streamOf(readChunks(source, 0, source.size));
  const output = new xz.XzReadableStream(input).getReader();
  try {
    for (let next = await output.read(); !next.done; next = await output.read()) yield next.value;
  } catch (error) {
    if (codeOf(error) === UNSUPPORTED) throw new Unsupported(await unsupportedPart(source), { cause: error });
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

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? /failed with error code (\d+)$/u.exec(error.message)?.[1] : undefined;
}

/** The library says "... failed with error code N", a trap is a RuntimeError; everything else comes from the source. */
function typedError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === 'RuntimeError') return new Corrupt(`xz: ${error.message}`, { cause: error });
  const code = codeOf(error);
  if (code === undefined) return error;
  return MEANINGS[code]?.(error) ?? new Corrupt(`xz: the stream is damaged (code ${code})`, { cause: error });
}
