import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip, createInflateRaw, createZstdDecompress } from 'node:zlib';
import type { Codecs, StreamKind } from '../../engine/codecs.ts';
import { Corrupt, FormatError, Truncated } from '../../engine/errors.ts';

/** Larger than zlib's default of 16 KiB: fewer turns of the event loop per gigabyte. */
const CHUNK_BYTES = 256 * 1024;
/** 128 MiB, what every decoder must offer according to the reference implementation; bounds the memory of a frame. */
const MAX_WINDOW_LOG = 27;

const CREATE: Readonly<Record<StreamKind, () => Transform>> = {
  // Members one after another are one stream (RFC 1952 section 2.2); Node's decoder reads on by itself.
  gzip: () => createGunzip({ chunkSize: CHUNK_BYTES }),
  deflate: () => createInflateRaw(),
  zstd: () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG } }),
};

export const expand: Codecs['expand'] = async function* (kind, input, what) {
  const codec = CREATE[kind]();
  const piped = pipeline(Readable.from(input, { objectMode: false }), codec, { end: true });
  // The failure reaches the consumer through the codec, which the pipeline destroys with it.
  piped.catch(() => undefined);
  try {
    yield* codec as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw typedError(error, what);
  }
};

function typedError(error: unknown, what: string): unknown {
  if (error instanceof FormatError || !(error instanceof Error)) return error;
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'Z_BUF_ERROR') return new Truncated(`${what} ends too soon`, { cause: error });
  return /^(Z_|ZSTD_|ERR_ZSTD)/u.test(code) ? new Corrupt(`${what}: ${error.message}`, { cause: error }) : error;
}
