/** CRC-32 with the highest bit first, as bzip2 takes it: the polynomial of gzip's, not reflected. */
const POLYNOMIAL = 0x04c1_1db7;
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? POLYNOMIAL : 0);
  return crc;
});

/** The register of a checksum behind `bytes`; it begins as -1, and the checksum is its complement. */
export function blockCrc(bytes: Uint8Array, register: number): number {
  let crc = register;
  for (const byte of bytes) crc = (crc << 8) ^ (TABLE[(crc >>> 24) ^ byte] ?? 0);
  return crc;
}
