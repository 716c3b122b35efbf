import { qcow2Assembler } from '../qcow2/writer.ts';
import { assembleStream } from '../vmdk/writer.ts';
import { PLAIN } from './blocks.ts';
import type { ConversionPlan } from './plan.ts';

/**
 * Where everything of a result stands, computed from block lengths alone: nothing is patched afterwards. The file is
 * head · plain bodies by slice · packed bodies by slice · tail.
 */
export interface Assembly {
  /** Bytes of the result. */
  readonly size: number;
  /** Header and tables in front of the bodies, piece by piece. */
  head(): Iterable<Uint8Array>;
  /** Tables and padding behind the bodies. */
  tail(): Iterable<Uint8Array>;
  readonly headLength: number;
  readonly tailLength: number;
  /** Per slice, bytes and file offset of its two bodies. */
  readonly slices: SlicePlaces;
}

/** Columns by slice number; offsets are file bytes. */
export interface SlicePlaces {
  readonly plainLength: Float64Array;
  readonly packedLength: Float64Array;
  readonly plainOffset: Float64Array;
  readonly packedOffset: Float64Array;
}

/** Body lengths summed over the slices. */
export interface BodySums {
  readonly plainBytes: number;
  readonly packedBytes: number;
}

/** What a target format adds: its tables, as functions of lengths. */
export interface Assembler {
  /** Bytes before the first body. Plain bodies start there, packed ones behind them. */
  readonly headLength: number;
  /** Bytes behind the last body. */
  readonly tailLength: number;
  head(places: SlicePlaces): Iterable<Uint8Array>;
  tail(places: SlicePlaces): Iterable<Uint8Array>;
}

type MakeAssembler = (plan: ConversionPlan, index: Uint32Array, sums: BodySums) => Assembler;

const ASSEMBLERS: Record<'qcow2' | 'vmdk', MakeAssembler> = {
  qcow2: qcow2Assembler,
  vmdk: (plan, index) => assembleStream({ virtualSize: plan.outputSize, grainSize: plan.target.blockSize }, index),
};

/**
 * Phase 2: from the block lengths of all slices (`EncodedSlice.index`, joined in slice order) to every offset, header
 * and table of the result. Pure.
 */
export function assemble(plan: ConversionPlan, index: Uint32Array): Assembly {
  const { format } = plan.target;
  if (format === 'raw') throw new TypeError('a raw result has no tables: its slices are placed by number');
  const slices = measure(plan, index);
  const sums = { plainBytes: sum(slices.plainLength), packedBytes: sum(slices.packedLength) };
  const assembler = ASSEMBLERS[format](plan, index, sums);
  place(slices, assembler.headLength, sums);
  return {
    size: assembler.headLength + sums.plainBytes + sums.packedBytes + assembler.tailLength,
    headLength: assembler.headLength,
    tailLength: assembler.tailLength,
    head: () => assembler.head(slices),
    tail: () => assembler.tail(slices),
    slices,
  };
}

function measure(plan: ConversionPlan, index: Uint32Array): SlicePlaces {
  const blocks = plan.sliceSize / plan.target.blockSize;
  const column = (): Float64Array => new Float64Array(plan.sliceCount);
  const places = { plainLength: column(), packedLength: column(), plainOffset: column(), packedOffset: column() };
  for (let block = 0; block < index.length; block++) {
    const entry = index[block] ?? 0;
    const slice = Math.floor(block / blocks);
    const lengths = entry >= PLAIN ? places.plainLength : places.packedLength;
    lengths[slice] = (lengths[slice] ?? 0) + (entry >= PLAIN ? entry - PLAIN : entry);
  }
  return places;
}

function place(slices: SlicePlaces, headLength: number, sums: BodySums): void {
  let plain = headLength;
  let packed = headLength + sums.plainBytes;
  for (let slice = 0; slice < slices.plainLength.length; slice++) {
    slices.plainOffset[slice] = plain;
    slices.packedOffset[slice] = packed;
    plain += slices.plainLength[slice] ?? 0;
    packed += slices.packedLength[slice] ?? 0;
  }
}

function sum(column: Float64Array): number {
  return column.reduce((total, value) => total + value, 0);
}

/** A stretch of the result and where its bytes come from. */
export interface Region {
  readonly kind: 'head' | 'plain' | 'packed' | 'tail';
  /** Slice number of a body; -1 for head and tail. */
  readonly slice: number;
  readonly offset: number;
  readonly length: number;
}

/** Every stretch of the result, in file order, without gaps. */
export function* regions(assembly: Assembly): Generator<Region> {
  const { slices, headLength, tailLength, size } = assembly;
  if (headLength > 0) yield { kind: 'head', slice: -1, offset: 0, length: headLength };
  yield* bodies('plain', slices.plainLength, slices.plainOffset);
  yield* bodies('packed', slices.packedLength, slices.packedOffset);
  if (tailLength > 0) yield { kind: 'tail', slice: -1, offset: size - tailLength, length: tailLength };
}

function* bodies(kind: 'plain' | 'packed', lengths: Float64Array, offsets: Float64Array): Generator<Region> {
  for (let slice = 0; slice < lengths.length; slice++) {
    const length = lengths[slice] ?? 0;
    if (length > 0) yield { kind, slice, offset: offsets[slice] ?? 0, length };
  }
}

/** S3's bounds on the parts of one object. */
const MIN_PART = 5 * 1024 * 1024;
const MAX_PARTS = 10_000;

/** One part of a multipart upload. */
export interface Part {
  /** From 1. */
  readonly number: number;
  readonly offset: number;
  readonly length: number;
  readonly regions: readonly Region[];
}

/**
 * Joins regions into parts of at least 5 MiB (the last one may be shorter) and at most 10,000: bodies are never split,
 * however small they are or however many.
 */
export function planParts(assembly: Assembly): Part[] {
  const enough = Math.max(MIN_PART, Math.ceil(assembly.size / (MAX_PARTS / 2)));
  const parts: Part[] = [];
  let open: Region[] = [];
  let length = 0;
  const close = (): void => {
    const [first] = open;
    if (first !== undefined) parts.push({ number: parts.length + 1, offset: first.offset, length, regions: open });
    open = [];
    length = 0;
  };
  for (const region of regions(assembly)) {
    open.push(region);
    length += region.length;
    if (length >= enough) close();
  }
  close();
  return parts;
}
