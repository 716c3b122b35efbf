import { uninitialized } from '#codecs/bytes.ts';
import type { ByteSource } from './source.ts';
import { fill } from './source.ts';

/** Bytes of the source that somebody wants; `take` gets exactly them, in a view that lives until `take` returns. */
export interface Piece {
  readonly offset: number;
  readonly length: number;
  /** Where the bytes go when they can be read in place; otherwise `take` is called. */
  readonly target?: Uint8Array;
  take?(bytes: Uint8Array): void;
}

export interface CoalesceOptions {
  /** Unwanted bytes that are read along rather than starting another read. */
  readonly maxGap?: number;
  /** Bytes of one read. */
  readonly maxRead?: number;
  /** Called when all pieces of one read were taken, before their bytes are gone: the last moment for what `take` put off. */
  delivered?(): void;
}

/** One range GET costs about a millisecond, in which a quarter of a megabyte arrives. */
const DEFAULT_GAP = 128 * 1024;
const DEFAULT_READ = 16 * 1024 * 1024;
/** Where a read costs nothing extra: what stays in the processor's cache until it is decoded. */
const LOCAL_READ = 1024 * 1024;
/** A piece of this size that has a place of its own is read straight into it: a request costs less than the copy. */
const DIRECT = 4 * 1024 * 1024;
/** Reads in flight of one call: enough to hide latency, few enough to bound memory. */
const PARALLEL = 2;

/** A run of pieces in source order that one read serves. */
export interface Batch {
  readonly offset: number;
  readonly length: number;
  readonly pieces: readonly Piece[];
}

/** Joins near pieces into few reads; pieces are sorted by source offset (they may overlap). Pure. */
export function batches(pieces: readonly Piece[], options: CoalesceOptions = {}): Batch[] {
  const maxGap = options.maxGap ?? DEFAULT_GAP;
  const maxRead = options.maxRead ?? DEFAULT_READ;
  const sorted = pieces.toSorted((a, b) => a.offset - b.offset);
  const out: Batch[] = [];
  let open: { offset: number; end: number; pieces: Piece[] } | undefined;
  for (const piece of sorted) {
    const end = piece.offset + piece.length;
    if (piece.target !== undefined && piece.length >= DIRECT && piece.length <= maxRead) {
      out.push({ offset: piece.offset, length: piece.length, pieces: [piece] });
      continue;
    }
    if (open !== undefined && piece.offset - open.end <= maxGap && Math.max(end, open.end) - open.offset <= maxRead) {
      open.pieces.push(piece);
      open.end = Math.max(open.end, end);
      continue;
    }
    if (open !== undefined) out.push({ offset: open.offset, length: open.end - open.offset, pieces: open.pieces });
    open = { offset: piece.offset, end, pieces: [piece] };
  }
  if (open !== undefined) out.push({ offset: open.offset, length: open.end - open.offset, pieces: open.pieces });
  return out;
}

/** Memory of joined reads, used again: fresh memory costs as much as the read itself. Of two lanes. */
const SCRATCH = 2 * 1024 * 1024;
const MAX_SCRATCHES = 2;
const scratches: Uint8Array[] = [];

/** Reads every piece with few, large reads of the source. @throws what the source and `take` throw */
export async function readPieces(
  source: ByteSource,
  pieces: readonly Piece[],
  options: CoalesceOptions = {},
): Promise<void> {
  const { gapBytes: maxGap = DEFAULT_GAP } = source;
  const queue = batches(pieces, { maxGap, maxRead: maxGap === 0 ? LOCAL_READ : DEFAULT_READ, ...options });
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let batch = queue[next++]; batch !== undefined; batch = queue[next++]) await readBatch(source, batch, options);
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, queue.length) }, lane));
}

async function readBatch(source: ByteSource, batch: Batch, options: CoalesceOptions): Promise<void> {
  const only = batch.pieces[0];
  if (batch.pieces.length === 1 && only?.target !== undefined) return fill(source, batch.offset, only.target);
  if (source.readInto === undefined || batch.length > SCRATCH) {
    deliver(batch, await source.read(batch.offset, batch.length), options);
    return;
  }
  const scratch = scratches.pop() ?? uninitialized(SCRATCH);
  const bytes = scratch.subarray(0, batch.length);
  await source.readInto(batch.offset, bytes);
  deliver(batch, bytes, options);
  // Not after a failure: part of that read may still be on its way.
  if (scratches.length < MAX_SCRATCHES) scratches.push(scratch);
}

function deliver(batch: Batch, bytes: Uint8Array, options: CoalesceOptions): void {
  for (const piece of batch.pieces) {
    const at = piece.offset - batch.offset;
    const wanted = bytes.subarray(at, at + piece.length);
    if (piece.target !== undefined) piece.target.set(wanted);
    else piece.take?.(wanted);
  }
  options.delivered?.();
}
