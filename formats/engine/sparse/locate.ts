import { hasBlock, rank } from './geometry.ts';
import type { SparseMap } from './map.ts';

/** Guest bytes that are zeros and stored nowhere. */
export interface Hole {
  readonly kind: 'hole';
  /** First guest byte. */
  readonly start: number;
  readonly length: number;
}

/** Guest bytes that stand one after another in a segment. */
export interface Stored {
  readonly kind: 'stored';
  /** First guest byte. */
  readonly start: number;
  readonly length: number;
  /** Number of the slice whose segment holds them. */
  readonly slice: number;
  readonly offsetInSegment: number;
}

/**
 * Where the guest bytes [start, end) are stored: in order, without gaps; neighbouring holes are joined across slices, and
 * a stored run is one range of one segment. Lazy: a reader of a huge range pays for what it has reached.
 * @throws RangeError when the range leaves the disk
 */
export function* locate(map: SparseMap, start: number, end: number): Generator<Hole | Stored> {
  if (!(start >= 0 && start <= end && end <= map.virtualSize)) {
    throw new RangeError(`bytes ${start}..${end} lie outside the disk of ${map.virtualSize} bytes`);
  }
  let hole: Hole | undefined;
  for (const part of parts(map, start, end)) {
    if (part.kind === 'hole') {
      hole = hole === undefined ? part : { ...hole, length: hole.length + part.length };
      continue;
    }
    if (hole !== undefined) yield hole;
    hole = undefined;
    yield part;
  }
  if (hole !== undefined) yield hole;
}

function* parts(map: SparseMap, start: number, end: number): Generator<Hole | Stored> {
  for (let at = start; at < end; ) {
    const slice = Math.floor(at / map.sliceSize);
    const sliceEnd = Math.min(end, (slice + 1) * map.sliceSize);
    const { segmentLength } = map.get(slice);
    if (segmentLength === 0) yield { kind: 'hole', start: at, length: sliceEnd - at };
    else yield* sliceParts(map, slice, at, sliceEnd);
    at = sliceEnd;
  }
}

/** Runs of equal blocks within one slice. */
function* sliceParts(map: SparseMap, slice: number, start: number, end: number): Generator<Hole | Stored> {
  const { bitmap } = map.get(slice);
  const { blockSize } = map;
  const base = slice * map.sliceSize;
  for (let at = start; at < end; ) {
    const block = Math.floor((at - base) / blockSize);
    const data = hasBlock(bitmap, block);
    let next = block + 1;
    while (base + next * blockSize < end && hasBlock(bitmap, next) === data) next++;
    const until = Math.min(end, base + next * blockSize);
    const run = { start: at, length: until - at };
    if (data) {
      const offsetInSegment = rank(bitmap, block) * blockSize + (at - base - block * blockSize);
      yield { kind: 'stored', ...run, slice, offsetInSegment };
    } else {
      yield { kind: 'hole', ...run };
    }
    at = until;
  }
}
