/**
 * Compresses many small blocks on one thread: as `inflate.ts`, one encoder per setting is reset instead of set up for every
 * block, and it writes into the caller's buffer. Where a Node version has not the fields for that, the one-shot call does
 * the same; both give the same bytes.
 */
import {
  constants,
  createDeflate,
  createDeflateRaw,
  createZstdCompress,
  deflateRawSync,
  deflateSync,
  zstdCompressSync,
} from 'node:zlib';

/** `raw` is RFC 1951, `zlib` RFC 1950 with header and Adler-32; the rest are zlib's own parameters. */
export interface DeflateSettings {
  readonly kind: 'raw' | 'zlib';
  readonly level: number;
  readonly memLevel: number;
  readonly windowBits: number;
}

/** The part of Node's zlib objects that is used (lib/zlib.js; unchanged since Node 10). */
interface Binding {
  reset(): void;
  writeSync(
    flush: number,
    input: Uint8Array,
    at: number,
    length: number,
    output: Uint8Array,
    to: number,
    room: number,
  ): void;
}
interface Encoder {
  /** Output room left, input left. */
  readonly state: Uint32Array;
  readonly binding: Binding;
  /** The flush that ends a stream. */
  readonly end: number;
}

const CREATE = { raw: createDeflateRaw, zlib: createDeflate } as const;
const ONE_SHOT = { raw: deflateRawSync, zlib: deflateSync } as const;

/**
 * Compresses one block after another.
 * @returns the bytes put into `target` from its beginning; undefined when the stream is not shorter than `target`
 */
export type Compress = (block: Uint8Array, target: Uint8Array) => number | undefined;

/** An encoder of one setting, for one thread. */
export function deflater(settings: DeflateSettings): Compress {
  let encoder: Encoder | null | undefined;
  return (block, target) => {
    encoder ??= deflateEncoder(settings);
    return encoder === null ? deflateOneShot(settings, block, target) : encodeWith(encoder, block, target);
  };
}

/** The same for zstd frames; level 3 is its default and qemu's. */
export function zstdCompressor(): Compress {
  let encoder: Encoder | null | undefined;
  return (block, target) => {
    encoder ??= makeEncoder(createZstdCompress(), constants.ZSTD_e_end);
    return encoder === null ? zstdOneShot(block, target) : encodeWith(encoder, block, target);
  };
}

function deflateEncoder({ kind, ...options }: DeflateSettings): Encoder | null {
  return makeEncoder(CREATE[kind](options), constants.Z_FINISH);
}

function makeEncoder(stream: object, end: number): Encoder | null {
  const { _handle: binding, _writeState: state } = stream as { _handle?: Partial<Binding>; _writeState?: unknown };
  if (typeof binding?.reset !== 'function' || typeof binding.writeSync !== 'function') return null;
  return state instanceof Uint32Array ? { state, binding: binding as Binding, end } : null;
}

function encodeWith({ state, binding, end }: Encoder, block: Uint8Array, target: Uint8Array): number | undefined {
  binding.reset();
  binding.writeSync(end, block, 0, block.length, target, 0, target.length);
  // A stream that ends with the last byte of room cannot be told from one that does not end: neither is shorter.
  const left = state[0] ?? 0;
  return left === 0 ? undefined : target.length - left;
}

/** The same through Node's public interface. */
export function deflateOneShot(
  { kind, ...options }: DeflateSettings,
  block: Uint8Array,
  target: Uint8Array,
): number | undefined {
  return fitted(ONE_SHOT[kind](block, { ...options, chunkSize: block.length + 1024 }), target);
}

/** The same through Node's public interface. */
export function zstdOneShot(block: Uint8Array, target: Uint8Array): number | undefined {
  return fitted(zstdCompressSync(block, { chunkSize: block.length + 1024 }), target);
}

function fitted(out: Uint8Array, target: Uint8Array): number | undefined {
  if (out.length >= target.length) return undefined;
  target.set(out);
  return out.length;
}
