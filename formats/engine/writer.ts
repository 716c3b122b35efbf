/**
 * What a format adds to a conversion to be its target; the twin of `FormatModule`. A result is head · bodies by slice · tail,
 * everything in it a function of the plan and of block lengths: nothing is patched afterwards, and any worker encodes any slice.
 */

import type { FormatName } from './image.ts';

export type Compression = 'none' | 'zlib' | 'zstd';

/** What a caller may choose of a target. */
export interface TargetChoices {
  readonly compression?: Compression;
  /** Bytes. */
  readonly clusterSize?: number;
  /** One of the forms that the format is written in; the first of them when absent. */
  readonly subformat?: string;
  /** The guest's disk is padded with zeros to a whole number of MiB. */
  readonly wholeMib?: boolean;
  /** UUID that the result carries, where the format has a place for one; the same for each try, all zeros when absent. */
  readonly diskId?: string;
}

/** A target with every choice made; `blockSize` is a cluster, a grain, or 1 where there are none. */
export interface Target {
  readonly format: FormatName;
  /** Absent where the format is written in one form only. */
  readonly subformat?: string;
  readonly blockSize: number;
  readonly compression: Compression;
}

/** As much of a conversion's plan as a writer looks at; sizes are bytes. */
export interface TargetLayout {
  readonly target: Target;
  /** UUID of the result. */
  readonly diskId?: string;
  /** Guest bytes of the result. */
  readonly outputSize: number;
  /** Guest bytes of a slice, a multiple of the target's block size. */
  readonly sliceSize: number;
}

/** Set in an index entry of a block that is stored as it is; the rest is its stored length in bytes; 0 is not stored. */
export const PLAIN = 0x8000_0000;

/** Where the bodies of the slices stand. Columns by slice number; offsets are file bytes. */
export interface SlicePlaces {
  readonly plainLength: Float64Array;
  readonly packedLength: Float64Array;
  readonly plainOffset: Float64Array;
  readonly packedOffset: Float64Array;
  /** Behind the last body. */
  readonly end: number;
}

/** Everything of a result but the bodies. */
export interface Assembler {
  /** Bytes behind the last body. */
  readonly tailLength: number;
  /** What stands in front of the bodies, piece by piece. */
  head(): Iterable<Uint8Array>;
  /** Tables and padding behind the bodies. */
  tail(): Iterable<Uint8Array>;
}

/**
 * Compresses one block that is not all zero into the beginning of `target`, which has `room(block.length)` bytes.
 * @param guestOffset first guest byte of the block: part of what is stored in some formats
 * @returns bytes written, or undefined when the block is stored as it is
 */
export interface Encoder {
  /** Most bytes that a block of so many can take. */
  room(blockSize: number): number;
  encode(block: Uint8Array, guestOffset: number, target: Uint8Array): number | undefined;
}

/** A target with tables of its own. All functions are pure. */
export interface TableWriter {
  /** Bytes in front of the first body, whatever the bodies are. */
  headLength(layout: TargetLayout): number;
  /** How blocks are compressed; undefined stores them as they are. */
  encoder(compression: Compression): Encoder | undefined;
  /**
   * Phase 2: everything but the bodies, from the lengths of all blocks in guest order (see `PLAIN`).
   * @throws LimitExceeded when the format cannot hold so much
   */
  assemble(layout: TargetLayout, index: Uint32Array, places: SlicePlaces): Assembler;
}

/** One target of conversions: plain facts, from which configuration and command line follow, and its functions. */
export interface FormatWriter {
  readonly format: FormatName;
  /** Tells the writers of one format apart. */
  readonly subformat?: string;
  /** Compressions that can be asked for; the first is what is made when nobody asks. */
  readonly compressions: readonly [Compression, ...Compression[]];
  /** Bytes a cluster may have, powers of two; absent when there is no choice. */
  readonly clusterSizes?: { readonly least: number; readonly most: number; readonly usual: number };
  /** Image properties, under Glance's names, that say how the result was written. */
  readonly properties: Readonly<Record<string, string>>;
  /** The result is padded with zeros to a multiple of so many guest bytes. */
  readonly sectorSize: number;
  /** The result can be padded to a whole number of MiB, too. */
  readonly wholeMib?: true;
  /** Guest bytes that the format can hold. */
  readonly maxSize?: number;
  /** Bytes of a block: of the clusters asked for, which are within `clusterSizes`. */
  blockSize(clusterSize: number | undefined): number;
  /** Absent when slices are placed by their number, so that the guest's bytes stand in the file at their own offsets. */
  readonly tables?: TableWriter;
  /** What stands behind the guest's bytes of a result without tables; nothing when absent. */
  trailer?(layout: TargetLayout): Uint8Array;
}
