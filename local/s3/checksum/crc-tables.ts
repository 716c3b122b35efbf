/** Reflected polynomials (top bit left out) of the CRCs that S3 knows. Sources: RFC 1952, RFC 3720, NVM Express NVM Command Set 5.2.1.3.4. */
export const CRC_POLYNOMIALS = {
  CRC32: { width: 32, polynomial: 0xedb88320n },
  CRC32C: { width: 32, polynomial: 0x82f63b78n },
  CRC64NVME: { width: 64, polynomial: 0x9a6c9329ac4bc9b5n },
} as const;

/** Bytes folded per step: one table each (slicing-by-8). */
const SLICES = 8;

interface Tables {
  /** 8 x 256 entries, low 32 bits. */
  readonly low: Uint32Array;
  /** The same, high 32 bits; all zero for 32-bit CRCs. */
  readonly high: Uint32Array;
}

function buildTables(polynomial: bigint): Tables {
  const low = new Uint32Array(SLICES * 256);
  const high = new Uint32Array(SLICES * 256);
  const first = Array.from({ length: 256 }, (_, byte) => {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
    return crc;
  });
  let row = first;
  for (let slice = 0; slice < SLICES; slice += 1) {
    row.forEach((crc, byte) => {
      low[slice * 256 + byte] = Number(crc & 0xffffffffn);
      high[slice * 256 + byte] = Number(crc >> 32n);
    });
    row = row.map((crc) => (crc >> 8n) ^ (first[Number(crc & 0xffn)] ?? 0n));
  }
  return { low, high };
}

/** A running CRC with all-ones start and final complement, over any reflected polynomial of 32 or 64 bits. */
export class SlicedCrc {
  readonly #tables: Tables;
  readonly #width: 32 | 64;
  #low = 0xffffffff;
  #high: number;

  constructor(algorithm: 'CRC32C' | 'CRC64NVME') {
    const { width, polynomial } = CRC_POLYNOMIALS[algorithm];
    this.#width = width;
    this.#high = width === 64 ? 0xffffffff : 0;
    this.#tables = tablesOf(algorithm, polynomial);
  }

  update(bytes: Buffer): void {
    const { low: tl, high: th } = this.#tables;
    let low = this.#low;
    let high = this.#high;
    let i = 0;
    for (const end = bytes.length - 7; i < end; i += 8) {
      const a = low ^ bytes.readInt32LE(i);
      const b = high ^ bytes.readInt32LE(i + 4);
      const i0 = 1792 + (a & 255);
      const i1 = 1536 + ((a >>> 8) & 255);
      const i2 = 1280 + ((a >>> 16) & 255);
      const i3 = 1024 + (a >>> 24);
      const i4 = 768 + (b & 255);
      const i5 = 512 + ((b >>> 8) & 255);
      const i6 = 256 + ((b >>> 16) & 255);
      const i7 = b >>> 24;
      low = at(tl, i0) ^ at(tl, i1) ^ at(tl, i2) ^ at(tl, i3) ^ at(tl, i4) ^ at(tl, i5) ^ at(tl, i6) ^ at(tl, i7);
      high = at(th, i0) ^ at(th, i1) ^ at(th, i2) ^ at(th, i3) ^ at(th, i4) ^ at(th, i5) ^ at(th, i6) ^ at(th, i7);
    }
    for (; i < bytes.length; i += 1) {
      const index = (low ^ at(bytes, i)) & 255;
      low = ((low >>> 8) | (high << 24)) ^ at(tl, index);
      high = (high >>> 8) ^ at(th, index);
    }
    this.#low = low;
    this.#high = high;
  }

  /** The CRC so far, big-endian, 4 or 8 bytes. */
  digest(): Buffer {
    const bytes = Buffer.alloc(this.#width / 8);
    if (this.#width === 64) bytes.writeInt32BE(~this.#high, 0);
    bytes.writeInt32BE(~this.#low, this.#width / 8 - 4);
    return bytes;
  }
}

/** Element of an array whose bounds the caller has settled: a plain load, no branch in the hot loop. */
function at(array: Uint32Array | Buffer, index: number): number {
  return array[index] as number;
}

const built = new Map<string, Tables>();

function tablesOf(algorithm: string, polynomial: bigint): Tables {
  let tables = built.get(algorithm);
  if (tables === undefined) {
    tables = buildTables(polynomial);
    built.set(algorithm, tables);
  }
  return tables;
}
