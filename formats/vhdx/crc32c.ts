/** Castagnoli's polynomial, bits reversed (RFC 3720 appendix B.4). Node has no CRC-32C of its own. */
const POLYNOMIAL = 0x82f6_3b78;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
  return crc;
});

/** CRC-32C of `bytes` with the four bytes of its own field, at `field`, taken as zero. Every VHDX structure uses it. */
export function crc32c(bytes: Uint8Array, field: number): number {
  let crc = 0xffff_ffff;
  for (let i = 0; i < bytes.length; i++) {
    const byte = i >= field && i < field + 4 ? 0 : (bytes[i] ?? 0);
    crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0);
  }
  return ~crc >>> 0;
}
