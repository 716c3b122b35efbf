import { CRC_POLYNOMIALS } from './crc-tables.ts';

/** CRC algorithms: the ones whose value for A+B follows from the values for A and for B. */
export type CrcAlgorithm = keyof typeof CRC_POLYNOMIALS;

/** Polynomial arithmetic modulo one CRC's polynomial, bit-reflected: the highest bit is the constant term. */
class CrcField {
  readonly #polynomial: bigint;
  readonly #one: bigint;
  /** x^(2^n), built as far as needed. */
  readonly #squares: bigint[];

  constructor(algorithm: CrcAlgorithm) {
    const { width, polynomial } = CRC_POLYNOMIALS[algorithm];
    this.#polynomial = polynomial;
    this.#one = 1n << BigInt(width - 1);
    this.#squares = [this.#one >> 1n];
  }

  multiply(a: bigint, b: bigint): bigint {
    let product = 0n;
    let shifted = b;
    for (let bit = this.#one; bit !== 0n; bit >>= 1n) {
      if ((a & bit) !== 0n) product ^= shifted;
      shifted = (shifted & 1n) === 1n ? (shifted >> 1n) ^ this.#polynomial : shifted >> 1n;
    }
    return product;
  }

  /** x^(8 * length): appending `length` bytes multiplies a CRC by this. */
  shiftBy(length: number): bigint {
    let factor = this.#one;
    let n = 3;
    for (let left = BigInt(length); left > 0n; left >>= 1n) {
      if ((left & 1n) === 1n) factor = this.multiply(this.#square(n), factor);
      n += 1;
    }
    return factor;
  }

  #square(n: number): bigint {
    for (let i = this.#squares.length; i <= n; i += 1) {
      const last = this.#squares[i - 1] ?? 0n;
      this.#squares.push(this.multiply(last, last));
    }
    return this.#squares[n] ?? 0n;
  }
}

/** A run of bytes by its CRC (big-endian) and its length. */
export interface CrcPiece {
  readonly crc: Buffer;
  readonly length: number;
}

/** The CRC of all pieces one after another, from their CRCs alone. No piece gives the CRC of nothing, zero. */
export function combineCrc(algorithm: CrcAlgorithm, pieces: readonly CrcPiece[]): Buffer {
  const { width } = CRC_POLYNOMIALS[algorithm];
  const field = new CrcField(algorithm);
  const factors = new Map<number, bigint>();
  let combined = 0n;
  for (const { crc, length } of pieces) {
    const factor = factors.get(length) ?? field.shiftBy(length);
    factors.set(length, factor);
    combined = field.multiply(factor, combined) ^ BigInt(`0x${crc.toString('hex')}`);
  }
  return Buffer.from(combined.toString(16).padStart(width / 4, '0'), 'hex');
}
