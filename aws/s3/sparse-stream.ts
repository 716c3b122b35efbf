import { crc32 } from 'node:zlib';
import { Corrupt } from '../../formats/errors.ts';
import type { Extent } from '../../formats/image.ts';
import { type Hole, locate, type Stored } from '../../formats/sparse/locate.ts';
import type { SparseMap } from '../../formats/sparse/map.ts';
import { segmentKey } from './keys.ts';
import type { Place } from './places.ts';
import { RangedGet } from './ranged-get.ts';

/** Segments whose requests run ahead of the consumer; each waits in socket buffers. */
const AHEAD = 3;
/** What holes are made of; never written to. */
const ZEROS = Buffer.alloc(256 * 1024);

/** Guest bytes that one range of one segment provides, with the holes between them; or a hole alone. */
interface Group {
  readonly runs: (Hole | Stored)[];
  /** Absent for a hole alone. */
  readonly range?: { readonly slice: number; readonly from: number; to: number };
}

/** Guest bytes [start, end) of a sparse image: holes without a request, each segment touched with one. */
export async function* sparseStream(
  place: Place,
  prefix: string,
  map: SparseMap,
  start: number,
  end: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const groups = groupBySegment(map, start, end);
  const opened: { group: Group; get: RangedGet | undefined }[] = [];
  let ahead = 0;
  const fill = (): void => {
    while (ahead < AHEAD) {
      const next = groups.next();
      if (next.done === true) return;
      const { range } = next.value;
      const get = range && new RangedGet(place, segmentKey(prefix, range.slice), range.from, range.to, { signal });
      if (get !== undefined) ahead += 1;
      opened.push({ group: next.value, get });
    }
  };
  try {
    for (fill(); opened.length > 0; fill()) {
      const { group, get } = opened.shift() as (typeof opened)[number];
      if (get !== undefined) ahead -= 1;
      fill();
      yield* get === undefined ? holes(group) : weave(map, group, get);
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

function* holes(group: Group): Generator<Uint8Array> {
  for (const run of group.runs) yield* zeros(run.length);
}

function* zeros(length: number): Generator<Uint8Array> {
  for (let left = length; left > 0; left -= ZEROS.length) yield left < ZEROS.length ? ZEROS.subarray(0, left) : ZEROS;
}

/** Runs in guest order, their bytes from the segment; verified when the whole segment passes. */
async function* weave(map: SparseMap, { runs, range }: Group, get: RangedGet): AsyncGenerator<Uint8Array> {
  const chunks = get[Symbol.asyncIterator]();
  let rest: Uint8Array = ZEROS.subarray(0, 0);
  let crc = 0;
  try {
    for (const run of runs) {
      if (run.kind === 'hole') {
        yield* zeros(run.length);
        continue;
      }
      for (let left = run.length; left > 0; ) {
        if (rest.length === 0) {
          const next = await chunks.next();
          rest = next.value ?? rest;
          crc = crc32(rest, crc);
        }
        const piece = rest.length <= left ? rest : rest.subarray(0, left);
        rest = rest.subarray(piece.length);
        left -= piece.length;
        yield piece;
      }
    }
  } finally {
    await chunks.return(undefined);
  }
  if (range !== undefined) verify(map, range, crc);
}

function verify(map: SparseMap, range: NonNullable<Group['range']>, crc: number): void {
  const entry = map.get(range.slice);
  if (range.from !== 0 || range.to !== entry.segmentLength || crc === entry.crc32) return;
  throw new Corrupt(`segment of slice ${range.slice}: CRC32 ${crc}, the map says ${entry.crc32}`);
}
