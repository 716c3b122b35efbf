import { Corrupt, Truncated } from '../engine/errors.ts';
import type { Qcow2Header } from './header.ts';

/** What a run of guest bytes is: no table entry, reads as zeros, plain bytes, or one compressed cluster. */
export type RunKind = 'hole' | 'zero' | 'data' | 'compressed';

/** Guest bytes with one answer. `host` is the file offset of its first byte (data) or of the stream (compressed). */
export interface Run {
  readonly kind: RunKind;
  /** First guest byte. */
  start: number;
  /** Guest bytes. */
  length: number;
  /** File offset; 0 for hole and zero. */
  host: number;
  /** Bytes of the compressed stream at most (cut at the end of the file); 0 otherwise. */
  hostLength: number;
}

const SUBCLUSTERS = 32;
const COMPRESSED = 0x4000_0000;
const COPIED = 0x8000_0000;
const OFFSET_HIGH = 0x00ff_ffff;
const OFFSET_LOW = 0xffff_fe00;

/**
 * Decodes L2 entries into runs (facts sections 3.2 and 3.3). Entries are taken as two 32-bit halves: offsets are below
 * 2^53 in any file, and a hostile one that is not fails the comparison with the file's size.
 */
export class L2Decoder {
  readonly #header: Qcow2Header;
  readonly #fileSize: number;

  constructor(header: Qcow2Header, fileSize: number) {
    this.#header = header;
    this.#fileSize = fileSize;
  }

  /**
   * Appends the runs of one guest cluster.
   * @param at byte offset of the entry in `table`
   * @param start guest offset of the cluster
   * @throws Corrupt, Truncated
   */
  decode(table: DataView, at: number, start: number, out: Run[]): void {
    const high = table.getUint32(at);
    const low = table.getUint32(at + 4);
    const length = Math.min(this.#header.clusterSize, this.#header.virtualSize - start);
    const extended = this.#header.l2EntrySize === 16;
    if ((high & COMPRESSED) !== 0) {
      if (extended && (table.getUint32(at + 8) | table.getUint32(at + 12)) !== 0) {
        throw new Corrupt(`qcow2 L2 entry of guest offset ${start}: a compressed cluster with subclusters`);
      }
      push(out, this.#compressed(high, low, start, length));
      return;
    }
    const host = (high & OFFSET_HIGH) * 0x1_0000_0000 + ((low & OFFSET_LOW) >>> 0);
    this.#checkHost(host, high, start);
    if (extended) this.#subclusters(host, table.getUint32(at + 8), table.getUint32(at + 12), start, length, out);
    else push(out, this.#standard(host, low, start, length));
  }

  #checkHost(host: number, high: number, start: number): void {
    if (host % this.#header.clusterSize !== 0) {
      throw new Corrupt(`qcow2 L2 entry of guest offset ${start}: host offset ${host} is not cluster-aligned`);
    }
    if (host === 0 && (high & COPIED) !== 0) {
      throw new Corrupt(`qcow2 L2 entry of guest offset ${start}: host offset 0 in use without an external data file`);
    }
  }

  #standard(host: number, low: number, start: number, length: number): Run {
    if ((low & 1) !== 0) {
      if (this.#header.version === 2) {
        throw new Corrupt(`qcow2 L2 entry of guest offset ${start}: a zero cluster in version 2`);
      }
      return { kind: 'zero', start, length, host: 0, hostLength: 0 };
    }
    if (host === 0) return { kind: 'hole', start, length, host: 0, hostLength: 0 };
    return this.#data(host, start, length);
  }

  #data(host: number, start: number, length: number): Run {
    if (host + length > this.#fileSize) {
      throw new Truncated(
        `qcow2 data cluster of guest offset ${start}: bytes ${host}..${host + length} lie outside the file of ${this.#fileSize} bytes`,
      );
    }
    return { kind: 'data', start, length, host, hostLength: 0 };
  }

  #compressed(high: number, low: number, start: number, length: number): Run {
    if ((high & COPIED) !== 0) {
      throw new Corrupt(`qcow2 L2 entry of guest offset ${start}: a compressed cluster marked as copied`);
    }
    // Bits 0..x-1 are the byte offset, x..61 the additional sectors; x = 70 - cluster_bits is 49..61.
    const offsetBits = 70 - this.#header.clusterBits - 32;
    const offsetHigh = high & (2 ** offsetBits - 1);
    if (offsetHigh > OFFSET_HIGH) {
      throw new Corrupt(`qcow2 L2 entry of guest offset ${start}: compressed host offset is at or above 2^56`);
    }
    const host = offsetHigh * 0x1_0000_0000 + low;
    const sectors = (high & 0x3fff_ffff) >>> offsetBits;
    if (host >= this.#fileSize) {
      throw new Truncated(
        `qcow2 compressed cluster of guest offset ${start}: offset ${host} lies outside the file of ${this.#fileSize} bytes`,
      );
    }
    const hostLength = Math.min((sectors + 1) * 512 - (host % 512), this.#fileSize - host);
    return { kind: 'compressed', start, length, host, hostLength };
  }

  #subclusters(host: number, zeros: number, allocated: number, start: number, length: number, out: Run[]): void {
    if ((zeros & allocated) !== 0) {
      throw new Corrupt(`qcow2 L2 entry of guest offset ${start}: a subcluster is both allocated and zero`);
    }
    if (allocated !== 0 && host === 0) {
      throw new Corrupt(`qcow2 L2 entry of guest offset ${start}: allocated subclusters without a host cluster`);
    }
    const size = this.#header.clusterSize / SUBCLUSTERS;
    for (let index = 0; index * size < length; index++) {
      const at = start + index * size;
      const part = Math.min(size, length - index * size);
      const bit = 1 << index;
      if ((allocated & bit) !== 0) push(out, this.#data(host + index * size, at, part));
      else push(out, { kind: (zeros & bit) === 0 ? 'hole' : 'zero', start: at, length: part, host: 0, hostLength: 0 });
    }
  }
}

/** Appends a run, or lengthens the last one when both are one piece of the file. */
export function push(out: Run[], run: Run): void {
  const last = out.at(-1);
  const joins =
    last !== undefined &&
    last.kind === run.kind &&
    run.kind !== 'compressed' &&
    (run.kind !== 'data' || last.host + last.length === run.host);
  if (joins) last.length += run.length;
  else out.push(run);
}
