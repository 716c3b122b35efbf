import { roundUp } from '../engine/bytes.ts';
import { type Assembler, PLAIN, type SlicePlaces } from '../engine/writer.ts';
import { writerOf } from '../writers.ts';
import type { ConversionPlan } from './plan.ts';

/**
 * Where everything of a result stands, computed from block lengths alone: nothing is patched afterwards. The file is
 * head · bodies by slice · tail. The head has the same length whatever the bodies are, so that bodies can be put into
 * their places slice after slice; tables stand in the tail.
 */
export interface Assembly extends Assembler {
  /** Bytes of the result. */
  readonly size: number;
  readonly headLength: number;
  /** Per slice, bytes and file offset of its two bodies. */
  readonly slices: SlicePlaces;
}

/** Bytes in front of the first body: headers, and the tables of a format that has them there. */
export function headLength(plan: ConversionPlan): number {
  return writerOf(plan.target).tables?.headLength(plan) ?? 0;
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
  const { tables, format } = writerOf(plan.target);
  if (tables === undefined) throw new TypeError(`a ${format} result has no tables: its slices are placed by number`);
  const slices = place(plan, index);
  const { tailLength, head, tail } = tables.assemble(plan, index, slices);
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
  /** Bytes of the body in front of this stretch of it; none when absent. */
  readonly skip?: number;
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

/** One part of a multipart upload. */
export interface Part {
  /** From 1. */
  readonly number: number;
  readonly offset: number;
  readonly length: number;
  readonly regions: readonly Region[];
  /** It is one stretch of one body, large enough to be a part: a store that holds the body copies it by itself. */
  readonly copy: boolean;
}

/**
 * Cuts the result into parts of at least `minPartBytes` (the last one may be shorter). A body of that length is a part of its own, but
 * for what the stretch in front of it lacks; all others are joined. So what is no copy is at most the smaller bodies, and less than
 * twice the smallest part for each larger one. Pure.
 */
export function planParts(assembly: Assembly, minPartBytes: number): Part[] {
  const parts: Part[] = [];
  let open: Region[] = [];
  let length = 0;
  const close = (copy = false): void => {
    const [first] = open;
    if (first !== undefined)
      parts.push({ number: parts.length + 1, offset: first.offset, length, regions: open, copy });
    open = [];
    length = 0;
  };
  const add = (region: Region): void => {
    open.push(region);
    length += region.length;
  };
  for (const region of regions(assembly)) {
    const lacks = length === 0 ? 0 : minPartBytes - length;
    if (region.slice < 0 || region.length - lacks < minPartBytes) {
      add(region);
      if (length >= minPartBytes) close();
      continue;
    }
    if (lacks > 0) {
      add({ ...region, length: lacks });
      close();
    }
    const rest = { offset: region.offset + lacks, length: region.length - lacks };
    add({ ...region, ...rest, ...(lacks > 0 && { skip: lacks }) });
    close(true);
  }
  close();
  return parts;
}
