import type { Codecs } from '../../engine/codecs.ts';

/** The polynomial of gzip and Ethernet, its bits reversed (RFC 1952 section 8). */
const POLYNOMIAL = 0xedb8_8320;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ POLYNOMIAL;
  return value;
});

/** One byte at a time by table. */
export const crc32: Codecs['crc32'] = (bytes, value = 0) => {
  let sum = ~value;
  for (const byte of bytes) sum = (sum >>> 8) ^ (TABLE[(sum ^ byte) & 0xff] ?? 0);
  return ~sum >>> 0;
};
