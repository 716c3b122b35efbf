import { Corrupt } from './errors.ts';

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd] as const;
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;

/**
 * Length in bytes of the zstd frame at the start of `input`: Node's decoder refuses anything behind a frame, and disk
 * formats pad frames to sectors (RFC 8878 section 3.1.1). Only headers are looked at; nothing is decoded.
 * @throws Corrupt when no whole frame is there
 */
export function zstdFrameLength(input: Uint8Array): number {
  if (MAGIC.some((byte, index) => input[index] !== byte)) throw new Corrupt('zstd frame: wrong magic');
  const descriptor = byteAt(input, 4);
  const single = (descriptor & 0x20) !== 0;
  let at = 5 + (single ? 0 : 1) + (DICTIONARY_BYTES[descriptor & 3] ?? 0) + contentSizeBytes(descriptor >> 6, single);
  for (let last = false; !last; ) {
    const header = byteAt(input, at) | (byteAt(input, at + 1) << 8) | (byteAt(input, at + 2) << 16);
    last = (header & 1) !== 0;
    at += 3 + blockBytes((header >> 1) & 3, header >> 3);
  }
  if ((descriptor & 4) !== 0) at += 4;
  if (at > input.length) throw new Corrupt(`zstd frame: ${at} bytes, only ${input.length} are there`);
  return at;
}

function contentSizeBytes(flag: number, single: boolean): number {
  if (flag === 0) return single ? 1 : 0;
  return 2 ** flag;
}

/** Stored bytes of a block by its type: 0 raw and 2 compressed their size, 1 RLE one byte, 3 reserved. */
function blockBytes(type: number, size: number): number {
  if (type === 3) throw new Corrupt('zstd frame: reserved block type 3');
  return type === 1 ? 1 : size;
}

function byteAt(input: Uint8Array, at: number): number {
  const byte = input[at];
  if (byte === undefined) throw new Corrupt(`zstd frame: ends at byte ${at}`);
  return byte;
}
