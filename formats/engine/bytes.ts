import { Corrupt, LimitExceeded } from './errors.ts';

/** A DataView on the same memory. */
export function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Narrows a 64-bit field to an exact number.
 * @throws Corrupt at 2^53 or above: no size or offset of a real image gets there, and below it sums are exact.
 */
export function exact(value: bigint, what: string): number {
  if (value < 0n || value > 9_007_199_254_740_991n) {
    throw new Corrupt(`${what}: ${value} is not below 2^53`);
  }
  return Number(value);
}

/** @throws LimitExceeded when `value` is above `limit`; called before every allocation whose size comes from the image. */
export function capped(value: number, limit: number, what: string): number {
  if (value > limit) {
    throw new LimitExceeded(`${what}: ${value} is above the limit of ${limit}`);
  }
  return value;
}

/** Rounds up to a multiple of `unit` (any positive integer; exact below 2^53). */
export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/** One array after another, in memory of their own. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** True for the same bytes in both. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

type Width = 'u8' | 'u16' | 'u32' | 'u64';
/** A binary layout as data: field name → [offset, width]; byte order belongs to the whole structure. */
export type Layout = Readonly<Record<string, readonly [offset: number, width: Width]>>;
export type Decoded<L extends Layout> = { -readonly [K in keyof L]: L[K][1] extends 'u64' ? bigint : number };

/** Reads every field of a layout; 64-bit fields stay bigint until `exact` narrows them. */
export function decode<L extends Layout>(layout: L, bytes: Uint8Array, order: 'BE' | 'LE', base = 0): Decoded<L> {
  const data = view(bytes);
  const little = order === 'LE';
  const out: Record<string, number | bigint> = {};
  for (const [name, [offset, width]] of Object.entries(layout)) {
    const at = base + offset;
    out[name] =
      width === 'u8'
        ? data.getUint8(at)
        : width === 'u16'
          ? data.getUint16(at, little)
          : width === 'u32'
            ? data.getUint32(at, little)
            : data.getBigUint64(at, little);
  }
  return out as Decoded<L>;
}

/** Writes every field of a layout into `bytes`; the inverse of `decode`. */
export function encode<L extends Layout>(
  layout: L,
  values: Decoded<L>,
  bytes: Uint8Array,
  order: 'BE' | 'LE',
  base = 0,
): void {
  const data = view(bytes);
  const little = order === 'LE';
  for (const [name, [offset, width]] of Object.entries(layout)) {
    const at = base + offset;
    const value = values[name as keyof L] as number | bigint;
    if (width === 'u64') data.setBigUint64(at, BigInt(value), little);
    else if (width === 'u32') data.setUint32(at, Number(value), little);
    else if (width === 'u16') data.setUint16(at, Number(value), little);
    else data.setUint8(at, Number(value));
  }
}
