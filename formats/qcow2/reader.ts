import { uninitialized } from '#codecs/bytes.ts';
import { type Piece, readPieces } from '../engine/coalesce.ts';
import { mergeExtents } from '../engine/extents.ts';
import type { DiskImage, Extent } from '../engine/image.ts';
import { InflatePairs } from '../engine/inflate/pair.ts';
import { assertWithin, type ByteSource } from '../engine/source.ts';
import { decompressCluster } from './decompress.ts';
import { compressionOf, type Qcow2Header } from './header.ts';
import type { Run } from './l2-entry.ts';
import { Mapping } from './mapping.ts';

/**
 * A qcow2 image, versions 2 and 3, read through its active L1 table. Internal snapshots and refcounts play no part in
 * reading. The header must have been checked (`module.ts` does).
 */
export class Qcow2Image implements DiskImage {
  readonly format = 'qcow2';
  readonly virtualSize: number;
  readonly blockSize: number;
  readonly #source: ByteSource;
  readonly #header: Qcow2Header;
  readonly #mapping: Mapping;
  /** The cluster last read in part: many small reads of one cluster decode once. */
  #last: { readonly host: number; readonly hostLength: number; readonly bytes: Uint8Array } | undefined;

  constructor(source: ByteSource, header: Qcow2Header) {
    this.#source = source;
    this.#header = header;
    this.#mapping = new Mapping(source, header);
    this.virtualSize = header.virtualSize;
    this.blockSize = header.clusterSize;
  }

  extents(start: number, end: number): AsyncIterable<Extent> {
    return mergeExtents(this.#rawExtents(start, end));
  }

  async *#rawExtents(start: number, end: number): AsyncIterable<Extent> {
    for await (const run of this.#runs(start, end)) {
      const from = Math.max(run.start, start);
      yield {
        start: from,
        length: Math.min(run.start + run.length, end) - from,
        allocated: run.kind !== 'hole',
        zero: run.kind === 'hole' || run.kind === 'zero',
        compressed: run.kind === 'compressed',
      };
    }
  }

  async readInto(offset: number, target: Uint8Array, targetIsZero = false): Promise<void> {
    assertWithin({ size: this.virtualSize }, offset, target.length, 'guest read');
    const pairs = new InflatePairs('raw');
    for (let at = offset, end = offset + target.length; at < end; ) {
      const runs = await this.#mapping.resolve(at, end);
      const pieces: Piece[] = [];
      for (const run of runs) {
        const piece = this.#piece(run, offset, target, targetIsZero, pairs);
        if (piece !== undefined) pieces.push(piece);
        at = run.start + run.length;
      }
      await readPieces(this.#source, pieces, { delivered: () => pairs.end() });
    }
  }

  async *#runs(start: number, end: number): AsyncIterable<Run> {
    for (let at = start; at < end; ) {
      for (const run of await this.#mapping.resolve(at, end)) {
        yield run;
        at = run.start + run.length;
      }
    }
  }

  /** What must be read for a run; runs without bytes in the file are answered at once. */
  #piece(run: Run, offset: number, target: Uint8Array, targetIsZero: boolean, pairs: InflatePairs): Piece | undefined {
    const from = Math.max(run.start, offset);
    const to = Math.min(run.start + run.length, offset + target.length);
    const part = target.subarray(from - offset, to - offset);
    if (run.kind === 'data') return { offset: run.host, length: part.length, target: part };
    if (run.kind !== 'compressed') {
      if (!targetIsZero) part.fill(0);
      return undefined;
    }
    const skip = from - run.start;
    if (this.#last?.host === run.host && this.#last.hostLength === run.hostLength) {
      part.set(this.#last.bytes.subarray(skip, skip + part.length));
      return undefined;
    }
    return {
      offset: run.host,
      length: run.hostLength,
      take: (stream) => this.#decompress(run, stream, part, skip, pairs),
    };
  }

  /** A whole cluster goes straight to its place; of a part, the cluster is remembered for the read that follows. */
  #decompress(
    { host, hostLength }: Run,
    stream: Uint8Array,
    part: Uint8Array,
    skip: number,
    pairs: InflatePairs,
  ): void {
    const { clusterSize } = this.#header;
    const compression = compressionOf(this.#header);
    if (part.length === clusterSize) {
      if (compression === 'deflate') pairs.add(stream, part);
      else decompressCluster(compression, stream, part);
      return;
    }
    const bytes = uninitialized(clusterSize);
    decompressCluster(compression, stream, bytes);
    this.#last = { host, hostLength, bytes };
    part.set(bytes.subarray(skip, skip + part.length));
  }
}
