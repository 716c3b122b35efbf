const POLYNOMIAL = 0xedb88320;

/**
 * CRC32 of two byte strings one after the other, from the CRC32 of each and the length of the second: what makes the checksum of
 * an object from those of its parts. (CRC-32 as in ISO-HDLC; appending k zero bits is a linear map, applied by repeated squaring.)
 */
export function combineCrc32(first: number, second: number, secondBytes: number): number {
  let power = multiplyBy(oneZeroByte);
  let crc = first;
  for (let bytes = secondBytes; bytes > 0; bytes = Math.floor(bytes / 2)) {
    if (bytes % 2 === 1) crc = apply(power, crc);
    power = square(power);
  }
  return (crc ^ second) >>> 0;
}

/** A linear map on 32 bits: where each bit goes. */
type LinearMap = readonly number[];

function multiplyBy(map: (bit: number) => number): LinearMap {
  return Array.from({ length: 32 }, (_, bit) => map(2 ** bit));
}

function oneZeroByte(value: number): number {
  let crc = value >>> 0;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc >>> 0;
}

function apply(map: LinearMap, value: number): number {
  let out = 0;
  for (const [bit, image] of map.entries()) if ((value >>> bit) & 1) out ^= image;
  return out >>> 0;
}

function square(map: LinearMap): LinearMap {
  return map.map((image) => apply(map, image));
}

/** The wire form of S3's checksum headers: base64 of the big-endian value. */
export function crc32Header(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc >>> 0);
  return bytes.toString('base64');
}

/** The value of such a header. */
export const headerCrc32 = (header: string): number => Buffer.from(header, 'base64').readUInt32BE();
