/** Castagnoli's polynomial, bits reversed (RFC 3720 appendix B.4). Node has no CRC-32C of its own. */
const POLYNOMIAL = 0x82f6_3b78;
/** Eight tables of 256: table n is what a byte does that n more bytes follow, so that eight bytes take one step. */
const STRIDE = 8;
const TABLES = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(STRIDE * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256] ?? 0;
    tables[at] = (before >>> 8) ^ (tables[before & 0xff] ?? 0);
  }
  return tables;
}

/** The effect of `byte` with `after` more bytes of the same step behind it. */
function effect(after: number, byte: number): number {
  return TABLES[after * 256 + (byte & 0xff)] ?? 0;
}

function update(start: number, bytes: Uint8Array): number {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let crc = start;
  let at = 0;
  for (; at + STRIDE <= bytes.length; at += STRIDE) {
    const low = crc ^ data.getInt32(at, true);
    const high = data.getInt32(at + 4, true);
    crc =
      effect(7, low) ^
      effect(6, low >>> 8) ^
      effect(5, low >>> 16) ^
      effect(4, low >>> 24) ^
      effect(3, high) ^
      effect(2, high >>> 8) ^
      effect(1, high >>> 16) ^
      effect(0, high >>> 24);
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ effect(0, crc ^ (bytes[at] ?? 0));
  return crc;
}

const FIELD_BYTES = 4;
const ZEROS = new Uint8Array(FIELD_BYTES);

/** CRC-32C of `bytes` with the four bytes of its own field, at `field`, taken as zero. Every VHDX structure uses it. */
export function crc32c(bytes: Uint8Array, field: number): number {
  const before = update(-1, bytes.subarray(0, field));
  return ~update(update(before, ZEROS), bytes.subarray(field + FIELD_BYTES)) >>> 0;
}
