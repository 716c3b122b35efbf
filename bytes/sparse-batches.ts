import { crc32 } from 'node:zlib';
import { Corrupt } from '../formats/engine/errors.ts';
import type { Extent } from '../formats/engine/image.ts';
import { type Hole, locate, type Stored } from '../formats/engine/sparse/locate.ts';
import type { SparseMap } from '../formats/engine/sparse/map.ts';
import { segmentKey } from './keys.ts';
import type { RangedRead, Store } from './store.ts';

/** Segments whose requests run ahead of the consumer; each waits in socket buffers. */
const AHEAD = 3;
/** What holes are made of; never written to. */
const ZEROS = Buffer.alloc(256 * 1024);
const BLOCKS_AT_ONCE = 8;

/** True for a chunk that `sparseBatches` made of a hole: whoever copies or hashes zeros may have a shorter way. */
export const isHole = (chunk: Uint8Array): boolean => chunk.buffer === ZEROS.buffer;

/** Guest bytes that one range of one segment provides, with the holes between them; or a hole alone. */
interface Group {
  readonly runs: (Hole | Stored)[];
  /** Absent for a hole alone. */
  readonly range?: SegmentRange;
}

interface SegmentRange {
  readonly slice: number;
  readonly from: number;
  to: number;
}

/** Guest bytes [start, end) of a sparse image: holes without a request, each segment touched with one; in batches of chunks. */
export async function* sparseBatches(
  store: Store,
  prefix: string,
  map: SparseMap,
  start: number,
  end: number,
  signal?: AbortSignal,
): AsyncGenerator<readonly Uint8Array[], void, undefined> {
  const groups = groupBySegment(map, start, end);
  const opened: { group: Group; get: RangedRead | undefined }[] = [];
  let ahead = 0;
  const fill = (): void => {
    while (ahead < AHEAD) {
      const next = groups.next();
      if (next.done === true) return;
      const { range } = next.value;
      const get = range && store.readRange(segmentKey(prefix, range.slice), range.from, range.to, { signal });
      if (get !== undefined) ahead += 1;
      opened.push({ group: next.value, get });
    }
  };
  try {
    for (fill(); opened.length > 0; fill()) {
      const { group, get } = opened.shift() as (typeof opened)[number];
      if (get !== undefined) ahead -= 1;
      fill();
      if (get === undefined || group.range === undefined) yield* holes(group.runs);
      else yield* weave(map, group.runs, group.range, get);
    }
  } finally {
    for (const { get } of opened) get?.cancel();
  }
}

/** Extents of guest bytes [start, end). */
export async function* sparseExtents(map: SparseMap, start: number, end: number): AsyncIterable<Extent> {
  for (const { kind, start: at, length } of locate(map, start, end)) {
    yield { start: at, length, allocated: kind === 'stored', zero: kind === 'hole', compressed: false };
  }
}

/** Joins the runs of one slice: they stand one after another in its segment, so one request serves them. */
function* groupBySegment(map: SparseMap, start: number, end: number): Generator<Group> {
  let open: Group | undefined;
  for (const run of locate(map, start, end)) {
    if (run.kind === 'hole') {
      // A hole behind data stays with its group, so that data behind it in the same slice joins the same request.
      if (open === undefined) yield { runs: [run] };
      else open.runs.push(run);
      continue;
    }
    const to = run.offsetInSegment + run.length;
    if (open?.range?.slice === run.slice) {
      open.range.to = to;
      open.runs.push(run);
      continue;
    }
    if (open !== undefined) yield open;
    open = { runs: [run], range: { slice: run.slice, from: run.offsetInSegment, to } };
  }
  if (open !== undefined) yield open;
}

/** Holes as batches of views of the shared block, few at a time: a hole may be terabytes. */
function* holes(runs: Iterable<Hole | Stored>): Generator<readonly Uint8Array[]> {
  for (const run of runs) {
    for (let left = run.length; left > 0; left -= ZEROS.length * BLOCKS_AT_ONCE) {
      yield [...zeros(Math.min(left, ZEROS.length * BLOCKS_AT_ONCE))];
    }
  }
}

function* zeros(length: number): Generator<Uint8Array> {
  for (let left = length; left > 0; left -= ZEROS.length) yield left < ZEROS.length ? ZEROS.subarray(0, left) : ZEROS;
}

/** Runs in guest order, their bytes from the segment; verified when the whole segment passes. */
async function* weave(
  map: SparseMap,
  runs: readonly (Hole | Stored)[],
  range: SegmentRange,
  get: RangedRead,
): AsyncGenerator<readonly Uint8Array[], void, undefined> {
  const cursor = new RunCursor(runs);
  let crc = 0;
  for await (const batch of get) {
    const woven: Uint8Array[] = [];
    for (const chunk of batch) {
      crc = crc32(chunk, crc);
      cursor.place(chunk, woven);
    }
    yield woven;
  }
  verify(map, range, crc);
  yield* holes(cursor.rest());
}

/** Puts segment bytes where they belong among the holes. The first run is a stored one. */
class RunCursor {
  readonly #runs: readonly (Hole | Stored)[];
  #at = 0;
  /** Bytes of the current run still to come. */
  #left: number;

  constructor(runs: readonly (Hole | Stored)[]) {
    this.#runs = runs;
    this.#left = runs[0]?.length ?? 0;
  }

  place(chunk: Uint8Array, out: Uint8Array[]): void {
    for (let rest = chunk; rest.length > 0; ) {
      if (this.#runs[this.#at]?.kind === 'hole') {
        out.push(...zeros(this.#left));
        this.#advance();
        continue;
      }
      const piece = rest.length <= this.#left ? rest : rest.subarray(0, this.#left);
      out.push(piece);
      rest = rest.subarray(piece.length);
      this.#left -= piece.length;
      if (this.#left === 0) this.#advance();
    }
  }

  /** Runs behind the last stored byte. */
  rest(): readonly (Hole | Stored)[] {
    return this.#runs.slice(this.#at);
  }

  #advance(): void {
    this.#at += 1;
    this.#left = this.#runs[this.#at]?.length ?? 0;
  }
}

function verify(map: SparseMap, range: SegmentRange, crc: number): void {
  const entry = map.get(range.slice);
  if (range.from !== 0 || range.to !== entry.segmentLength || crc === entry.crc32) return;
  throw new Corrupt(`segment of slice ${range.slice}: CRC32 ${crc}, the map says ${entry.crc32}`);
}
