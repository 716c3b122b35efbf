import type { NamedTraits } from '../catalog.ts';
import type { Finding } from './findings.ts';
import type { FirmwareHint } from './partitions.ts';
import type { ByteSource } from './source.ts';
import type { FormatTraits } from './traits.ts';

/** Name of a format: those of the catalog. */
export type FormatName = NamedTraits['format'];

/** A run of guest bytes with one answer. `allocated` and not `zero` is data; `zero` reads as zeros without a read. */
export interface Extent {
  /** First guest byte. */
  readonly start: number;
  /** Bytes. */
  readonly length: number;
  readonly allocated: boolean;
  readonly zero: boolean;
  readonly compressed: boolean;
}

/**
 * A disk image opened for reading. All offsets and lengths are guest bytes. Tables are loaded lazily and bounded:
 * memory does not grow with the image. Safe to use from several callers at once.
 */
export interface DiskImage {
  readonly format: FormatName;
  /** Bytes the guest sees. */
  readonly virtualSize: number;
  /** Cluster, grain or block size in bytes: the unit in which reads are cheapest. 1 for raw. */
  readonly blockSize: number;
  /** Extents covering [start, end) in order, without gaps, clipped to the range; neighbours of one kind are merged. */
  extents(start: number, end: number): AsyncIterable<Extent>;
  /**
   * Fills `target` with the guest bytes from `offset`. `target` must be zero-filled by the caller when `targetIsZero`,
   * which lets holes cost nothing. Guest bytes at or past `virtualSize` must not be asked for.
   * @throws Truncated, Corrupt, Unsupported, LimitExceeded
   */
  readInto(offset: number, target: Uint8Array, targetIsZero?: boolean): Promise<void>;
}

/** What detection is given: enough of both ends for every format without a second look (facts section 1). */
export interface ProbeWindow {
  /** The first bytes, up to 68 KiB. */
  readonly head: Uint8Array;
  /** The last bytes, up to 1536. */
  readonly tail: Uint8Array;
  /** Bytes in the object. */
  readonly size: number;
}

/** What a format module found in an image's structures, policy apart. */
export interface FormatFacts {
  readonly format: FormatName;
  /** Bytes; absent when the structures do not say. */
  readonly virtualSize?: number;
  /** Guest bytes with data when the tables say so cheaply. */
  readonly allocatedBytes?: number;
  /** Cluster, grain or block size in bytes. */
  readonly blockSize?: number;
  /** streamOptimized, fixed, dynamic, v3, hybrid ... */
  readonly subformat?: string;
  /** Firmware that the format's own boot records name; what a partition table says is looked at elsewhere. */
  readonly firmware?: readonly FirmwareHint[];
  readonly findings: readonly Finding[];
  /** Format specific facts under stable snake_case names, as JSON values (facts section 14). */
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * One format: its traits, and pure functions of bytes. `probe` is a cheap yes or no on both ends; `inspect` reads structures and reports;
 * `open` gives the reader and throws what `inspect` would have refused.
 */
export interface FormatModule extends FormatTraits {
  readonly format: FormatName;
  /** Codes of findings.ts that this module can report: its safety rules. The registry refuses an empty list. */
  readonly safetyRules: readonly [Finding['code'], ...Finding['code'][]];
  probe(window: ProbeWindow): boolean;
  inspect(source: ByteSource, window: ProbeWindow): Promise<FormatFacts>;
  /** Absent for formats that are named but never opened (QED, wrappers) or stored as they are (LUKS). */
  open?(source: ByteSource): Promise<DiskImage>;
  /**
   * What `inspect` leaves out where it would read too much for an answer at once; no findings when it left nothing out.
   * Absent for formats whose inspection is complete. @throws FormatError when the structures cannot be read
   */
  verify?(source: ByteSource): Promise<readonly Finding[]>;
}
