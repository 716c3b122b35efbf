import { isZero } from '../bytes.ts';
import type { DiskImage } from '../image.ts';
import { ENCODERS } from './encoders.ts';
import { type ConversionPlan, sliceRange } from './plan.ts';
import { hasData } from './raw.ts';

/** Set in an index entry of a block that is stored as it is; the rest is its stored length in bytes; 0 is not stored. */
export const PLAIN = 0x8000_0000;

/** A slice as a target stores it, wherever it will stand in the file. */
export interface EncodedSlice {
  /** One entry per block: 0, or its stored length, with PLAIN for a block that is stored as it is. */
  readonly index: Uint32Array;
  /** Blocks stored as they are, one after another: they go to aligned places. */
  readonly plain: Uint8Array;
  /** Compressed blocks, one after another. */
  readonly packed: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** Blocks of a slice. */
export function blocksOf(plan: ConversionPlan, slice: number): number {
  return Math.ceil(Math.min(plan.sliceSize, plan.outputSize - slice * plan.sliceSize) / plan.target.blockSize);
}

/**
 * Phase 1 of a conversion to a format with tables: the bodies of one slice, independent of their place. The same slice
 * gives the same bytes in every process.
 * @param scratch reused between calls to spare allocation; at least `plan.sliceSize` bytes
 * @throws what reading the image throws
 */
export async function encodeSlice(
  image: DiskImage,
  plan: ConversionPlan,
  slice: number,
  scratch: Uint8Array = new Uint8Array(plan.sliceSize),
): Promise<EncodedSlice> {
  const { start, length } = sliceRange(plan, slice);
  const index = new Uint32Array(blocksOf(plan, slice));
  if (!(await hasData(image, start, start + length))) return { index, plain: NOTHING, packed: NOTHING };
  const { blockSize } = plan.target;
  const bytes = scratch.subarray(0, index.length * blockSize);
  await image.readInto(start, bytes.subarray(0, length));
  bytes.fill(0, length);
  const plain: Uint8Array[] = [];
  const packed: Uint8Array[] = [];
  const encode = ENCODERS[plan.target.format][plan.target.compression];
  for (let block = 0; block < index.length; block++) {
    const part = bytes.subarray(block * blockSize, (block + 1) * blockSize);
    if (isZero(part)) continue;
    const encoded = encode?.(part, start + block * blockSize);
    if (encoded === undefined) plain.push(part);
    else packed.push(encoded);
    index[block] = encoded === undefined ? (PLAIN | blockSize) >>> 0 : encoded.length;
  }
  return { index, plain: joined(plain), packed: Buffer.concat(packed) };
}

/**
 * Phase 1 where every block is stored as it is: the index alone, from a zero test. The layout is known from it, and the
 * bodies are rendered again in phase 2 instead of being kept.
 */
export async function scanSlice(
  image: DiskImage,
  plan: ConversionPlan,
  slice: number,
  scratch: Uint8Array = new Uint8Array(plan.sliceSize),
): Promise<Uint32Array> {
  return (await encodeSlice(image, plan, slice, scratch)).index;
}

/** Neighbours in memory stay one view: a slice without zero blocks is not copied. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (first === undefined) return NOTHING;
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  const last = parts.at(-1) ?? first;
  const adjacent = last.byteOffset + last.length - first.byteOffset === total;
  return adjacent ? new Uint8Array(first.buffer, first.byteOffset, total) : Buffer.concat(parts);
}
