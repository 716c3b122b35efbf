import { crc32 } from '#codecs/crc32.ts';
import { capped, decode, encode, exact, view } from '../bytes.ts';
import { Corrupt, Truncated, Unsupported } from '../errors.ts';
import {
  BITMAP_BYTES,
  type Geometry,
  hasBlock,
  MAX_BLOCKS,
  segmentBytes,
  sliceCount,
  sliceLength,
} from './geometry.ts';

/** Binary form of a map, little-endian: this header, one entry per slice, CRC-32 of all bytes before it. */
const HEADER = {
  magic: [0, 'u64'],
  version: [8, 'u32'],
  header_length: [12, 'u32'],
  virtual_size: [16, 'u64'],
  slice_size: [24, 'u32'],
  block_size: [28, 'u32'],
  slice_count: [32, 'u32'],
  reserved: [36, 'u32'],
} as const;
const HEADER_BYTES = 40;
/** Per slice: bitmap[32], u32 segment length, u32 CRC-32 of the segment. */
const ENTRY_BYTES = BITMAP_BYTES + 8;
/** "GLSPARSE" read as a little-endian u64. */
const MAGIC = 0x4553_5241_5053_4c47n;
const VERSION = 1;
/** 16 TiB at 16 MiB slices: a map of 40 MiB. */
const MAX_SLICES = 1024 * 1024;

/** What is stored of one slice. `segmentLength` 0 means all zero, no object. */
export interface SliceEntry {
  readonly bitmap: Uint8Array;
  readonly segmentLength: number;
  readonly crc32: number;
}

const NO_DATA: SliceEntry = { bitmap: new Uint8Array(BITMAP_BYTES), segmentLength: 0, crc32: 0 };

/** A sparse map: which blocks of a raw image are stored, and where. 40 bytes per slice, under 4 MB for 1 TiB. */
export class SparseMap implements Geometry {
  readonly virtualSize: number;
  readonly sliceSize: number;
  readonly blockSize: number;
  readonly sliceCount: number;
  readonly #entries: Uint8Array;

  private constructor(geometry: Geometry, entries: Uint8Array) {
    this.virtualSize = geometry.virtualSize;
    this.sliceSize = geometry.sliceSize;
    this.blockSize = geometry.blockSize;
    this.sliceCount = sliceCount(geometry);
    this.#entries = entries;
  }

  /** A map of nothing but zeros, to be filled with `set`. @throws RangeError, LimitExceeded for an impossible geometry */
  static empty(geometry: Geometry): SparseMap {
    checkGeometry(geometry);
    const count = capped(sliceCount(geometry), MAX_SLICES, 'sparse map slices');
    return new SparseMap(geometry, new Uint8Array(count * ENTRY_BYTES));
  }

  /** The entry of a slice. @throws RangeError outside the map */
  get(index: number): SliceEntry {
    const at = this.#at(index);
    const data = view(this.#entries);
    const segmentLength = data.getUint32(at + BITMAP_BYTES, true);
    if (segmentLength === 0) return NO_DATA;
    return {
      bitmap: this.#entries.subarray(at, at + BITMAP_BYTES),
      segmentLength,
      crc32: data.getUint32(at + BITMAP_BYTES + 4, true),
    };
  }

  /**
   * Records what a packer gave for a slice.
   * @throws RangeError outside the map; Corrupt when bitmap and segment length contradict each other
   */
  set(index: number, entry: SliceEntry): void {
    const at = this.#at(index);
    checkEntry(this, index, entry);
    this.#entries.set(entry.bitmap, at);
    const data = view(this.#entries);
    data.setUint32(at + BITMAP_BYTES, entry.segmentLength, true);
    data.setUint32(at + BITMAP_BYTES + 4, entry.crc32, true);
  }

  /** Bytes stored: the sum of all segments. */
  get storedBytes(): number {
    let sum = 0;
    const data = view(this.#entries);
    for (let index = 0; index < this.sliceCount; index++)
      sum += data.getUint32(index * ENTRY_BYTES + BITMAP_BYTES, true);
    return sum;
  }

  /** Numbers of the slices that have a segment, ascending. */
  *slicesWithData(): Generator<number> {
    const data = view(this.#entries);
    for (let index = 0; index < this.sliceCount; index++) {
      if (data.getUint32(index * ENTRY_BYTES + BITMAP_BYTES, true) > 0) yield index;
    }
  }

  /** The binary form. */
  encode(): Uint8Array {
    const bytes = new Uint8Array(HEADER_BYTES + this.#entries.length + 4);
    const fields = {
      magic: MAGIC,
      version: VERSION,
      header_length: HEADER_BYTES,
      virtual_size: BigInt(this.virtualSize),
      slice_size: this.sliceSize,
      block_size: this.blockSize,
      slice_count: this.sliceCount,
      reserved: 0,
    };
    encode(HEADER, fields, bytes, 'LE');
    bytes.set(this.#entries, HEADER_BYTES);
    const end = bytes.length - 4;
    view(bytes).setUint32(end, crc32(bytes.subarray(0, end)), true);
    return bytes;
  }

  /**
   * Reads the binary form; every entry is checked, so that no later arithmetic can leave a segment.
   * @throws Truncated, Corrupt, Unsupported, LimitExceeded
   */
  static decode(bytes: Uint8Array): SparseMap {
    if (bytes.length < HEADER_BYTES + 4) throw new Truncated(`sparse map: ${bytes.length} bytes`);
    const fields = decode(HEADER, bytes, 'LE');
    if (fields.magic !== MAGIC) throw new Corrupt('sparse map: wrong magic');
    if (fields.version !== VERSION || fields.header_length !== HEADER_BYTES) {
      throw new Unsupported(`sparse map: version ${fields.version}, header of ${fields.header_length} bytes`);
    }
    const end = bytes.length - 4;
    const sum = crc32(bytes.subarray(0, end));
    if (view(bytes).getUint32(end, true) !== sum) throw new Corrupt('sparse map: its checksum does not match');
    const geometry = decodedGeometry(fields);
    const expected = HEADER_BYTES + sliceCount(geometry) * ENTRY_BYTES + 4;
    if (fields.slice_count !== sliceCount(geometry) || bytes.length !== expected) {
      throw new Corrupt(
        `sparse map: ${fields.slice_count} slices in ${bytes.length} bytes, its size needs ${expected}`,
      );
    }
    const map = SparseMap.empty(geometry);
    map.#entries.set(bytes.subarray(HEADER_BYTES, end));
    for (let index = 0; index < map.sliceCount; index++) checkEntry(map, index, map.#rawEntry(index));
    return map;
  }

  /** The entry as it stands, without the short cut for empty slices. */
  #rawEntry(index: number): SliceEntry {
    const at = this.#at(index);
    const data = view(this.#entries);
    return {
      bitmap: this.#entries.subarray(at, at + BITMAP_BYTES),
      segmentLength: data.getUint32(at + BITMAP_BYTES, true),
      crc32: data.getUint32(at + BITMAP_BYTES + 4, true),
    };
  }

  #at(index: number): number {
    if (!(Number.isInteger(index) && index >= 0 && index < this.sliceCount)) {
      throw new RangeError(`sparse map: slice ${index} of ${this.sliceCount}`);
    }
    return index * ENTRY_BYTES;
  }
}

function decodedGeometry(fields: { virtual_size: bigint; slice_size: number; block_size: number }): Geometry {
  const geometry = {
    virtualSize: exact(fields.virtual_size, 'sparse map: virtual size'),
    sliceSize: fields.slice_size,
    blockSize: fields.block_size,
  };
  try {
    checkGeometry(geometry);
  } catch (error) {
    throw new Corrupt(error instanceof Error ? error.message : String(error), { cause: error });
  }
  return geometry;
}

function checkGeometry({ virtualSize, sliceSize, blockSize }: Geometry): void {
  const blocks = sliceSize / blockSize;
  if (!(blockSize > 0 && Number.isInteger(blocks) && blocks >= 1 && blocks <= MAX_BLOCKS)) {
    throw new RangeError(`sparse map: slices of ${sliceSize} bytes, blocks of ${blockSize} bytes`);
  }
  if (!Number.isSafeInteger(virtualSize) || virtualSize < 0) {
    throw new RangeError(`sparse map: virtual size ${virtualSize}`);
  }
}

function checkEntry(geometry: Geometry, index: number, entry: SliceEntry): void {
  const length = sliceLength(geometry, index);
  const blocks = Math.ceil(length / geometry.blockSize);
  const expected = segmentBytes(entry.bitmap, geometry.blockSize, length);
  if (entry.bitmap.length !== BITMAP_BYTES || entry.segmentLength !== expected) {
    throw new Corrupt(
      `sparse map slice ${index}: a segment of ${entry.segmentLength} bytes, its bitmap says ${expected}`,
    );
  }
  for (let block = blocks; block < MAX_BLOCKS; block++) {
    if (hasBlock(entry.bitmap, block)) throw new Corrupt(`sparse map slice ${index}: block ${block} is behind its end`);
  }
}
