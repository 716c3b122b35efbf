import { qcow2Assembler } from '../../qcow2/writer.ts';
import { assembleStream, HEAD_BYTES } from '../../vmdk/writer.ts';
import { roundUp } from '../bytes.ts';
import { PLAIN } from './blocks.ts';
import type { ConversionPlan } from './plan.ts';

/**
 * Where everything of a result stands, computed from block lengths alone: nothing is patched afterwards. The file is
 * head · bodies by slice · tail. The head has the same length whatever the bodies are, so that bodies can be put into
 * their places slice after slice; tables stand in the tail.
 */
export interface Assembly {
  /** Bytes of the result. */
  readonly size: number;
  /** What stands in front of the bodies, piece by piece. */
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
  /** Behind the last body. */
  readonly end: number;
}

/** What a target format adds: its tables, as functions of lengths. */
export interface Assembler {
  /** Bytes behind the last body. */
  readonly tailLength: number;
  head(): Iterable<Uint8Array>;
  tail(): Iterable<Uint8Array>;
}

type MakeAssembler = (plan: ConversionPlan, index: Uint32Array, places: SlicePlaces) => Assembler;

const ASSEMBLERS: Record<'qcow2' | 'vmdk', MakeAssembler> = {
  qcow2: qcow2Assembler,
  vmdk: (plan, index) => assembleStream({ virtualSize: plan.outputSize, grainSize: plan.target.blockSize }, index),
};

/** Bytes in front of the first body: header cluster, or header and descriptor. */
export function headLength({ target }: ConversionPlan): number {
  return target.format === 'vmdk' ? HEAD_BYTES : target.blockSize;
}

/** Where the bodies of one slice stand, and where the next slice may start. File bytes. */
export interface BodyPlaces {
  readonly plainOffset: number;
  readonly packedOffset: number;
  readonly end: number;
}

/**
 * Places the bodies of the next slice from `at` on: plain ones at a block's border, packed ones anywhere. The plain body
 * goes first where `at` is such a border, so that at most every second slice leaves a gap, smaller than a block. Pure.
 */
export function placeBodies(plan: ConversionPlan, at: number, plainLength: number, packedLength: number): BodyPlaces {
  if (plainLength === 0) return { plainOffset: at, packedOffset: at, end: at + packedLength };
  const border = roundUp(at, plan.target.blockSize);
  if (border === at) return { plainOffset: at, packedOffset: at + plainLength, end: at + plainLength + packedLength };
  const plainOffset = roundUp(at + packedLength, plan.target.blockSize);
  return { plainOffset, packedOffset: at, end: plainOffset + plainLength };
}

/**
 * Phase 2: from the block lengths of all slices (`EncodedSlice.index`, joined in slice order) to every offset, header
 * and table of the result. Pure.
 */
export function assemble(plan: ConversionPlan, index: Uint32Array): Assembly {
  const { format } = plan.target;
  if (format === 'raw') throw new TypeError('a raw result has no tables: its slices are placed by number');
  const slices = place(plan, index);
  const { tailLength, head, tail } = ASSEMBLERS[format](plan, index, slices);
  return { size: slices.end + tailLength, headLength: headLength(plan), tailLength, head, tail, slices };
}

function place(plan: ConversionPlan, index: Uint32Array): SlicePlaces {
  const column = (): Float64Array => new Float64Array(plan.sliceCount);
  const places = { plainLength: column(), packedLength: column(), plainOffset: column(), packedOffset: column() };
  const blocks = plan.sliceSize / plan.target.blockSize;
  let end = headLength(plan);
  for (let slice = 0; slice < plan.sliceCount; slice++) {
    const { plain, packed } = bodyLengths(index.subarray(slice * blocks, (slice + 1) * blocks));
    const at = placeBodies(plan, end, plain, packed);
    places.plainLength[slice] = plain;
    places.packedLength[slice] = packed;
    places.plainOffset[slice] = at.plainOffset;
    places.packedOffset[slice] = at.packedOffset;
    end = at.end;
  }
  return { ...places, end };
}

function bodyLengths(index: Uint32Array): { plain: number; packed: number } {
  let plain = 0;
  let packed = 0;
  for (const entry of index) {
    if (entry >= PLAIN) plain += entry - PLAIN;
    else packed += entry;
  }
  return { plain, packed };
}

/** A stretch of the result and where its bytes come from; `gap` is zeros. */
export interface Region {
  readonly kind: 'head' | 'plain' | 'packed' | 'gap' | 'tail';
  /** Slice number of a body; -1 for the others. */
  readonly slice: number;
  readonly offset: number;
  readonly length: number;
}

/** Every stretch of the result, in file order, covering all of it. */
export function* regions(assembly: Assembly): Generator<Region> {
  const { headLength: first, tailLength, size } = assembly;
  yield { kind: 'head', slice: -1, offset: 0, length: first };
  let at = first;
  for (const body of bodies(assembly.slices)) {
    if (body.offset > at) yield { kind: 'gap', slice: -1, offset: at, length: body.offset - at };
    yield body;
    at = body.offset + body.length;
  }
  if (tailLength > 0) yield { kind: 'tail', slice: -1, offset: size - tailLength, length: tailLength };
}

function* bodies(slices: SlicePlaces): Generator<Region> {
  for (let slice = 0; slice < slices.plainLength.length; slice++) {
    const plain = {
      kind: 'plain',
      slice,
      offset: slices.plainOffset[slice] ?? 0,
      length: slices.plainLength[slice] ?? 0,
    } as const;
    const packed = {
      kind: 'packed',
      slice,
      offset: slices.packedOffset[slice] ?? 0,
      length: slices.packedLength[slice] ?? 0,
    } as const;
    for (const body of plain.offset < packed.offset ? [plain, packed] : [packed, plain]) {
      if (body.length > 0) yield body;
    }
  }
}

/** What a store takes of one object: bytes of each part but the last, and parts. */
export interface PartLimits {
  readonly minPartBytes: number;
  readonly maxParts: number;
}

/** One part of a multipart upload. */
export interface Part {
  /** From 1. */
  readonly number: number;
  readonly offset: number;
  readonly length: number;
  readonly regions: readonly Region[];
}

/** Joins regions into parts within the limits: bodies are never split, however small they are or however many. */
export function planParts(assembly: Assembly, { minPartBytes, maxParts }: PartLimits): Part[] {
  const enough = Math.max(minPartBytes, Math.ceil(assembly.size / (maxParts / 2)));
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
