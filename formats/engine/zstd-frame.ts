import { view } from './bytes.ts';
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
  let at = 5 + zstdHeaderRest(descriptor);
  for (let last = false; !last; ) {
    const header = byteAt(input, at) | (byteAt(input, at + 1) << 8) | (byteAt(input, at + 2) << 16);
    last = (header & 1) !== 0;
    at += 3 + blockBytes((header >> 1) & 3, header >> 3);
  }
  if ((descriptor & 4) !== 0) at += 4;
  if (at > input.length) throw new Corrupt(`zstd frame: ${at} bytes, only ${input.length} are there`);
  return at;
}

/** Bytes of a frame's header behind its descriptor: window descriptor, dictionary id and content size. */
export function zstdHeaderRest(descriptor: number): number {
  return beforeContentSize(descriptor) + contentSizeBytes(descriptor);
}

/** What the header of a frame asks of its decoder, in bytes. */
export interface ZstdNeeds {
  readonly window: number;
  /** Absent when the frame does not say how long its content is. Not exact from 2^53 on. */
  readonly contentSize?: number;
}

/** Reads a frame header (RFC 8878 section 3.1.1.1), so that nothing is allocated by its word alone. @throws Corrupt */
export function zstdNeeds(frame: Uint8Array): ZstdNeeds {
  const descriptor = frame[4] ?? 0;
  const contentSize = contentSizeOf(frame, descriptor);
  if (isSingle(descriptor)) return { window: contentSize ?? 0, contentSize: contentSize ?? 0 };
  const exponent = (frame[5] ?? 0) >> 3;
  const base = 2 ** (10 + exponent);
  const window = base + (base / 8) * ((frame[5] ?? 0) & 7);
  return { window, ...(contentSize === undefined ? {} : { contentSize }) };
}

function contentSizeOf(frame: Uint8Array, descriptor: number): number | undefined {
  const at = 5 + beforeContentSize(descriptor);
  const bytes = contentSizeBytes(descriptor);
  if (bytes === 0) return undefined;
  if (at + bytes > frame.length) throw new Corrupt(`zstd frame: ${frame.length} bytes end within its header`);
  const data = view(frame);
  if (bytes === 1) return data.getUint8(at);
  if (bytes === 2) return data.getUint16(at, true) + 256;
  return bytes === 4 ? data.getUint32(at, true) : Number(data.getBigUint64(at, true));
}

/** One segment: the window is the content. */
function isSingle(descriptor: number): boolean {
  return (descriptor & 0x20) !== 0;
}

/** Window descriptor and dictionary id. */
function beforeContentSize(descriptor: number): number {
  return (isSingle(descriptor) ? 0 : 1) + (DICTIONARY_BYTES[descriptor & 3] ?? 0);
}

function contentSizeBytes(descriptor: number): number {
  const flag = descriptor >> 6;
  if (flag === 0) return isSingle(descriptor) ? 1 : 0;
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

/** Sixteen magics announce a frame of user data with a 32-bit length (RFC 8878 section 3.1.2). */
const SKIPPABLE = 0x184d2a50;

export const isSkippable = (magic: number): boolean => (magic & 0xfffffff0) >>> 0 === SKIPPABLE;

/**
 * Where the first frame with content begins, skippable frames before it passed over (pzstd writes them); past `head`, when it is
 * not among these bytes.
 */
export function firstZstdFrame(head: Uint8Array): number {
  const data = view(head);
  let at = 0;
  while (at + 8 <= head.length && isSkippable(data.getUint32(at, true))) at += 8 + data.getUint32(at + 4, true);
  return at;
}

/** True for a zstd stream. One that begins with skippable frames alone is taken for one: what else has that magic is unknown. */
export function isZstd(head: Uint8Array): boolean {
  const at = firstZstdFrame(head);
  if (at + 4 > head.length) return at > 0;
  return MAGIC.every((byte, i) => head[at + i] === byte);
}
