import { isZero, uninitialized } from '#codecs/bytes.ts';
import type { DiskImage } from '../engine/image.ts';
import { type Encoder, PLAIN } from '../engine/writer.ts';
import { writerOf } from '../writers.ts';
import { type ConversionPlan, sliceRange } from './plan.ts';
import { hasData } from './raw.ts';

/** A slice as a target stores it, wherever it will stand in the file. */
export interface EncodedSlice {
  /** One entry per block: 0, or its stored length, with PLAIN for a block that is stored as it is. */
  readonly index: Uint32Array;
  /** Blocks stored as they are, one after another: they go to aligned places. */
  readonly plain: Uint8Array;
  /** Compressed blocks, one after another. */
  readonly packed: Uint8Array;
}

/** Memory of one worker, reused from slice to slice: the bodies of a slice are views of it until the next is encoded. */
export interface Workspace {
  /** Guest bytes of a slice. */
  readonly guest: Uint8Array;
  /** Compressed blocks of a slice. */
  readonly packed: Uint8Array;
}

/** Makes the memory that slices of a plan need. */
export function workspace(plan: ConversionPlan): Workspace {
  const { blockSize } = plan.target;
  const room = encoderOf(plan)?.room(blockSize) ?? 0;
  return {
    guest: uninitialized(plan.sliceSize),
    packed: uninitialized((plan.sliceSize / blockSize) * room),
  };
}

/** How the plan's target compresses a block; undefined when blocks are stored as they are. */
function encoderOf({ target }: ConversionPlan): Encoder | undefined {
  return writerOf(target).tables?.encoder(target.compression);
}

const NOTHING = new Uint8Array(0);

/** Blocks of a slice. */
export function blocksOf(plan: ConversionPlan, slice: number): number {
  return Math.ceil(Math.min(plan.sliceSize, plan.outputSize - slice * plan.sliceSize) / plan.target.blockSize);
}

/**
 * Phase 1 of a conversion to a format with tables: the bodies of one slice, independent of their place. The same slice
 * gives the same bytes in every process.
 * @param memory its own for every slice when absent
 * @throws what reading the image throws
 */
export async function encodeSlice(
  image: DiskImage,
  plan: ConversionPlan,
  slice: number,
  memory: Workspace = workspace(plan),
): Promise<EncodedSlice> {
  const { start, length } = sliceRange(plan, slice);
  const index = new Uint32Array(blocksOf(plan, slice));
  if (!(await hasData(image, start, start + length))) return { index, plain: NOTHING, packed: NOTHING };
  const bytes = memory.guest.subarray(0, index.length * plan.target.blockSize);
  await image.readInto(start, bytes.subarray(0, length));
  bytes.fill(0, length);
  return encodeBlocks(plan, start, bytes, index, memory.packed);
}

/** Fills `index`; plain blocks move together within `bytes`, compressed ones go to `packed`. */
function encodeBlocks(
  plan: ConversionPlan,
  start: number,
  bytes: Uint8Array,
  index: Uint32Array,
  packed: Uint8Array,
): EncodedSlice {
  const { blockSize } = plan.target;
  const encoder = encoderOf(plan);
  const room = encoder?.room(blockSize) ?? 0;
  let plainEnd = 0;
  let packedEnd = 0;
  for (let block = 0; block < index.length; block++) {
    const at = block * blockSize;
    const part = bytes.subarray(at, at + blockSize);
    if (isZero(part)) continue;
    const length = encoder?.encode(part, start + at, packed.subarray(packedEnd, packedEnd + room));
    index[block] = length ?? (PLAIN | blockSize) >>> 0;
    if (length !== undefined) packedEnd += length;
    else {
      if (plainEnd < at) bytes.copyWithin(plainEnd, at, at + blockSize);
      plainEnd += blockSize;
    }
  }
  return { index, plain: bytes.subarray(0, plainEnd), packed: packed.subarray(0, packedEnd) };
}
