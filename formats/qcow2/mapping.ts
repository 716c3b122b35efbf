import { view } from '../engine/bytes.ts';
import { type Piece, readPieces } from '../engine/coalesce.ts';
import { Corrupt } from '../engine/errors.ts';
import type { ByteSource } from '../engine/source.ts';
import { TableCache } from '../engine/table-cache.ts';
import type { Qcow2Header } from './header.ts';
import { L2Decoder, push, type Run } from './l2-entry.ts';

/** Tables are read in pieces of this size: one L2 table at the usual cluster size, 8192 L1 entries. */
const CHUNK = 64 * 1024;
/** Table bytes kept per open image: the L2 tables of 64 GiB at the usual cluster size. */
const CACHE_BYTES = 8 * 1024 * 1024;
/** Guest clusters mapped in one step: bounds the memory of a call at any cluster size. */
const MAX_STEP_CLUSTERS = 32_768;

/** The part of one L2 table that a range needs. */
interface TableSpan {
  /** File offset of the table; 0 when the whole span is unallocated. */
  readonly table: number;
  /** Guest offset of the first cluster, guest offset behind the last. */
  readonly start: number;
  readonly end: number;
}

/** Guest offsets to runs of the file, through L1 and L2 tables that are loaded lazily in bounded pieces. */
export class Mapping {
  readonly #source: ByteSource;
  readonly #header: Qcow2Header;
  readonly #cache = new TableCache(CACHE_BYTES);
  readonly #decoder: L2Decoder;
  readonly #l2Span: number;

  constructor(source: ByteSource, header: Qcow2Header) {
    this.#source = source;
    this.#header = header;
    this.#decoder = new L2Decoder(header, source.size);
    this.#l2Span = header.clustersPerL2 * header.clusterSize;
  }

  /**
   * Runs from `start` on, in order and without gaps, clipped to [start, end); may stop short of `end` after a bounded
   * amount of tables: the caller goes on behind the last run.
   * @throws Corrupt, Truncated
   */
  async resolve(start: number, end: number): Promise<Run[]> {
    const spans = await this.#spans(start, end);
    const tables = await this.#loadTables(spans);
    const runs: Run[] = [];
    for (const span of spans) {
      if (span.table === 0)
        push(runs, { kind: 'hole', start: span.start, length: span.end - span.start, host: 0, hostLength: 0 });
      else this.#decodeSpan(span, tables, runs);
    }
    return clip(runs, start, end);
  }

  /** Host offsets of all L2 tables that exist, in guest order, for a cheap look at the whole image. */
  async *tables(): AsyncIterable<number> {
    for (let index = 0; index < this.#header.l1Needed; index++) {
      const table = this.#l1Entry(await this.#l1Chunk(index), index);
      if (table !== 0) yield table;
    }
  }

  async #spans(start: number, end: number): Promise<TableSpan[]> {
    const { clusterSize, virtualSize } = this.#header;
    const spans: TableSpan[] = [];
    let budget = MAX_STEP_CLUSTERS;
    const firstIndex = Math.floor(start / this.#l2Span);
    const entriesPerChunk = CHUNK / 8;
    // Stops at the end of an L1 piece at the latest, so that a step reads one piece of L1.
    const lastIndex = Math.min(
      Math.ceil(end / this.#l2Span) - 1,
      (Math.floor(firstIndex / entriesPerChunk) + 1) * entriesPerChunk - 1,
    );
    const chunk = await this.#l1Chunk(firstIndex);
    for (let index = firstIndex; index <= lastIndex && budget > 0; index++) {
      const table = this.#l1Entry(chunk, index);
      const from = Math.max(Math.floor(start / clusterSize) * clusterSize, index * this.#l2Span);
      const until = Math.min(end, virtualSize, (index + 1) * this.#l2Span);
      const to = table === 0 ? until : Math.min(until, from + budget * clusterSize);
      if (table !== 0) budget -= Math.ceil((to - from) / clusterSize);
      spans.push({ table, start: from, end: to });
      if (to < until) break;
    }
    return spans;
  }

  #l1Chunk(index: number): Promise<Uint8Array> {
    const { l1Offset, l1Needed } = this.#header;
    const at = Math.floor((index * 8) / CHUNK) * CHUNK;
    const length = Math.min(CHUNK, l1Needed * 8 - at);
    return this.#cache.get(l1Offset + at, async () => copied(await this.#source.read(l1Offset + at, length)));
  }

  #l1Entry(chunk: Uint8Array, index: number): number {
    const data = view(chunk);
    const at = (index * 8) % CHUNK;
    const table = (data.getUint32(at) & 0x00ff_ffff) * 0x1_0000_0000 + ((data.getUint32(at + 4) & 0xffff_fe00) >>> 0);
    if (table % this.#header.clusterSize !== 0) {
      throw new Corrupt(`qcow2 L1 entry ${index}: L2 table offset ${table} is not cluster-aligned`);
    }
    return table;
  }

  /** Pieces of L2 tables by file offset: from the cache, the missing ones with few joined reads. */
  async #loadTables(spans: readonly TableSpan[]): Promise<Map<number, DataView>> {
    const tables = new Map<number, DataView>();
    const missing: Piece[] = [];
    for (const offset of spans.flatMap((span) => this.#chunkOffsets(span))) {
      if (tables.has(offset)) continue;
      const kept = this.#cache.peek(offset);
      if (kept !== undefined) tables.set(offset, view(await kept));
      else missing.push({ offset, length: this.#chunkLength, take: (bytes) => this.#keep(tables, offset, bytes) });
    }
    if (missing.length > 0) await readPieces(this.#source, missing);
    return tables;
  }

  #keep(tables: Map<number, DataView>, offset: number, bytes: Uint8Array): void {
    const own = copied(bytes);
    tables.set(offset, view(own));
    this.#cache.put(offset, Promise.resolve(own));
  }

  get #chunkLength(): number {
    return Math.min(CHUNK, this.#header.clusterSize);
  }

  #chunkOffsets(span: TableSpan): number[] {
    if (span.table === 0) return [];
    const first = Math.floor(this.#entryAt(span.start) / this.#chunkLength);
    const last = Math.floor(this.#entryAt(span.end - 1) / this.#chunkLength);
    return Array.from({ length: last - first + 1 }, (_, index) => span.table + (first + index) * this.#chunkLength);
  }

  /** Byte offset in its L2 table of the entry that maps a guest offset. */
  #entryAt(guest: number): number {
    const { clusterSize, clustersPerL2, l2EntrySize } = this.#header;
    return (Math.floor(guest / clusterSize) % clustersPerL2) * l2EntrySize;
  }

  #decodeSpan(span: TableSpan, tables: ReadonlyMap<number, DataView>, runs: Run[]): void {
    const { clusterSize, l2EntrySize, virtualSize } = this.#header;
    const chunk = this.#chunkLength;
    let at = this.#entryAt(span.start);
    let table: DataView | undefined;
    for (let guest = span.start; guest < span.end; ) {
      const within = at % chunk;
      if (table === undefined || within === 0) table = tables.get(span.table + at - within);
      if (table === undefined) throw new Corrupt(`qcow2 L2 table at ${span.table}: not loaded`);
      const left = Math.ceil((span.end - guest) / clusterSize);
      const empty = emptyEntries(table, within, Math.min(chunk, within + left * l2EntrySize), l2EntrySize);
      if (empty > 0) {
        const length = Math.min(empty * clusterSize, virtualSize - guest);
        push(runs, { kind: 'hole', start: guest, length, host: 0, hostLength: 0 });
      } else this.#decoder.decode(table, within, guest, runs);
      const entries = Math.max(1, empty);
      guest += entries * clusterSize;
      at += entries * l2EntrySize;
    }
  }
}

/** How many entries from `at` on are all zero, which most are in an image that is mostly empty: clusters without anything. */
function emptyEntries(table: DataView, at: number, end: number, entrySize: number): number {
  let to = at;
  while (to < end && table.getUint32(to) === 0 && table.getUint32(to + 4) === 0) to += 8;
  return Math.floor((to - at) / entrySize);
}

/** A copy of its own memory: a Buffer's `slice` would keep the whole read alive in the cache. */
function copied(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/**
 * Cuts the runs to the asked range; a compressed run keeps its whole stream (the reader cuts its output). With subclusters the
 * cluster that holds `start` may give several runs that end before it, and likewise behind `end`.
 */
function clip(decoded: readonly Run[], start: number, end: number): Run[] {
  const runs = decoded.filter((run) => run.start + run.length > start && run.start < end);
  const first = runs[0];
  if (first !== undefined && first.start < start && first.kind !== 'compressed') {
    const cut = start - first.start;
    first.start = start;
    first.length -= cut;
    if (first.kind === 'data') first.host += cut;
  }
  const last = runs.at(-1);
  if (last !== undefined && last.start + last.length > end && last.kind !== 'compressed')
    last.length = end - last.start;
  return runs;
}
