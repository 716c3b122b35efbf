/**
 * Compresses many small blocks on one thread: one encoder per setting is reset and writes into the caller's buffer. The
 * one-shot calls, for where that is not possible, give the same bytes.
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
import type { Compress, DeflateSettings } from '../../engine/codecs.ts';
import { ZlibHandle } from '../zlib-handle.ts';

const CREATE = { raw: createDeflateRaw, zlib: createDeflate } as const;
const ONE_SHOT = { raw: deflateRawSync, zlib: deflateSync } as const;

/** An encoder of one setting, for one thread. */
export function deflater(settings: DeflateSettings): Compress {
  const { kind, ...options } = settings;
  let encoder: ZlibHandle | null | undefined;
  return (block, target) => {
    encoder ??= ZlibHandle.of(CREATE[kind](options));
    return encoder === null
      ? deflateOneShot(settings, block, target)
      : encodeWith(encoder, constants.Z_FINISH, block, target);
  };
}

/** The same for zstd frames; level 3 is its default and qemu's. */
export function zstdCompressor(): Compress {
  let encoder: ZlibHandle | null | undefined;
  return (block, target) => {
    encoder ??= ZlibHandle.of(createZstdCompress());
    return encoder === null ? zstdOneShot(block, target) : encodeWith(encoder, constants.ZSTD_e_end, block, target);
  };
}

/** @param end the flush that ends a stream */
function encodeWith(encoder: ZlibHandle, end: number, block: Uint8Array, target: Uint8Array): number | undefined {
  encoder.reset();
  encoder.feed(end, block, target);
  // A stream that ends with the last byte of room cannot be told from one that does not end: neither is shorter.
  const left = encoder.roomLeft;
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
