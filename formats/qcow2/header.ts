import { capped, type Decoded, decode, exact } from '../engine/bytes.ts';
import { Corrupt, Truncated, Unsupported } from '../engine/errors.ts';
import { assertWithin } from '../engine/source.ts';

/** The first 72 bytes, all versions (qcow2 specification, Header; facts section 3.1). Big-endian. */
export const HEADER_V2 = {
  magic: [0, 'u32'],
  version: [4, 'u32'],
  backing_file_offset: [8, 'u64'],
  backing_file_size: [16, 'u32'],
  cluster_bits: [20, 'u32'],
  size: [24, 'u64'],
  crypt_method: [32, 'u32'],
  l1_size: [36, 'u32'],
  l1_table_offset: [40, 'u64'],
  refcount_table_offset: [48, 'u64'],
  refcount_table_clusters: [56, 'u32'],
  nb_snapshots: [60, 'u32'],
  snapshots_offset: [64, 'u64'],
} as const;

/** Bytes 72 to 104, version 3 only. */
export const HEADER_V3 = {
  incompatible_features: [72, 'u64'],
  compatible_features: [80, 'u64'],
  autoclear_features: [88, 'u64'],
  refcount_order: [96, 'u32'],
  header_length: [100, 'u32'],
} as const;

export const MAGIC = 0x514649fb;
export const V2_LENGTH = 72;
export const V3_LENGTH = 104;

/** Incompatible feature bits that the specification gives a meaning; every other bit refuses. */
export const INCOMPATIBLE = {
  dirty: 1n << 0n,
  corrupt: 1n << 1n,
  dataFile: 1n << 2n,
  compressionType: 1n << 3n,
  extendedL2: 1n << 4n,
} as const;
export const LAZY_REFCOUNTS = 1n;
const KNOWN_INCOMPATIBLE = Object.values(INCOMPATIBLE).reduce((all, bit) => all | bit, 0n);

/** qemu's limits (facts section 3.6): what it would not open, no honest image has. */
const MAX_L1_BYTES = 32 * 1024 * 1024;
const MAX_REFCOUNT_TABLE_BYTES = 8 * 1024 * 1024;
const MAX_SNAPSHOTS = 65_536;
const MAX_BACKING_NAME = 1023;

export type Compression = 'deflate' | 'zstd';

/** The header with every 64-bit size narrowed; offsets and sizes are bytes of the file unless the name says otherwise. */
export interface Qcow2Header {
  readonly version: 2 | 3;
  readonly fields: Decoded<typeof HEADER_V2>;
  readonly clusterBits: number;
  readonly clusterSize: number;
  /** Bytes the guest sees. */
  readonly virtualSize: number;
  readonly l1Offset: number;
  /** L1 entries that the virtual size needs: the only ones ever read. */
  readonly l1Needed: number;
  /** Bytes of an L2 entry: 8, or 16 with extended L2. */
  readonly l2EntrySize: 8 | 16;
  /** Guest clusters that one L2 table maps. */
  readonly clustersPerL2: number;
  readonly incompatible: bigint;
  readonly compatible: bigint;
  readonly autoclear: bigint;
  readonly unknownIncompatible: bigint;
  readonly refcountBits: number;
  readonly headerLength: number;
  /** The raw compression type byte: 0 deflate, 1 zstd. */
  readonly compressionType: number;
}

/**
 * Reads the header's fields; `checkHeader` judges them against the file.
 * @param head at least the first 112 bytes of the file, or the whole file when it is shorter
 * @throws Truncated, Corrupt, Unsupported (version)
 */
export function parseHeader(head: Uint8Array): Qcow2Header {
  if (head.length < V2_LENGTH) throw new Truncated(`qcow2 header: ${head.length} of ${V2_LENGTH} bytes`);
  const fields = decode(HEADER_V2, head, 'BE');
  if (fields.magic !== MAGIC) throw new Corrupt('qcow2 header: wrong magic');
  const version = fields.version;
  if (version !== 2 && version !== 3) throw new Unsupported(`qcow2 header: version ${version}, only 2 and 3 are read`);
  if (version === 3 && head.length < V3_LENGTH)
    throw new Truncated(`qcow2 header: ${head.length} of ${V3_LENGTH} bytes`);
  const v3 = version === 3 ? decode(HEADER_V3, head, 'BE') : V2_DEFAULTS;
  if (fields.cluster_bits < 9 || fields.cluster_bits > 21) {
    throw new Corrupt(`qcow2 header: cluster_bits ${fields.cluster_bits} is not within 9..21`);
  }
  const clusterSize = 2 ** fields.cluster_bits;
  const virtualSize = exact(fields.size, 'qcow2 header: size');
  const l2EntrySize = (v3.incompatible_features & INCOMPATIBLE.extendedL2) === 0n ? 8 : 16;
  const clustersPerL2 = clusterSize / l2EntrySize;
  return {
    version,
    fields,
    clusterBits: fields.cluster_bits,
    clusterSize,
    virtualSize,
    l1Offset: exact(fields.l1_table_offset, 'qcow2 header: l1_table_offset'),
    l1Needed: Math.ceil(Math.ceil(virtualSize / clusterSize) / clustersPerL2),
    l2EntrySize,
    clustersPerL2,
    incompatible: v3.incompatible_features,
    compatible: v3.compatible_features,
    autoclear: v3.autoclear_features,
    unknownIncompatible: v3.incompatible_features & ~KNOWN_INCOMPATIBLE,
    refcountBits: 2 ** Math.min(v3.refcount_order, 31),
    headerLength: v3.header_length,
    compressionType: v3.header_length > V3_LENGTH ? (head[V3_LENGTH] ?? 0) : 0,
  };
}

const V2_DEFAULTS: Decoded<typeof HEADER_V3> = {
  incompatible_features: 0n,
  compatible_features: 0n,
  autoclear_features: 0n,
  refcount_order: 4,
  header_length: V2_LENGTH,
};

/**
 * Checks what the header claims against the specification, qemu's limits and the file.
 * @throws Corrupt, Truncated, Unsupported, LimitExceeded
 */
export function checkHeader(header: Qcow2Header, fileSize: number): void {
  checkVersion3(header);
  checkTables(header, fileSize);
  const { fields } = header;
  capped(fields.nb_snapshots, MAX_SNAPSHOTS, 'qcow2 header: nb_snapshots');
  capped(fields.backing_file_size, MAX_BACKING_NAME, 'qcow2 header: backing_file_size');
}

function checkVersion3(header: Qcow2Header): void {
  if (header.version === 2) return;
  const { headerLength, clusterSize, refcountBits, compressionType } = header;
  if (headerLength < V3_LENGTH || headerLength % 8 !== 0 || headerLength > clusterSize) {
    throw new Corrupt(`qcow2 header: header_length ${headerLength} is not a multiple of 8 within 104..${clusterSize}`);
  }
  if (refcountBits > 64) throw new Corrupt('qcow2 header: refcount_order is above 6');
  const typed = (header.incompatible & INCOMPATIBLE.compressionType) !== 0n;
  if (typed !== (compressionType !== 0)) {
    throw new Corrupt(`qcow2 header: compression_type ${compressionType} disagrees with incompatible feature bit 3`);
  }
  if (compressionType > 1)
    throw new Unsupported(`qcow2 header: compression_type ${compressionType}, only 0 and 1 are known`);
  if (header.l2EntrySize === 16 && header.clusterBits < 14) {
    throw new Corrupt(`qcow2 header: extended L2 entries need clusters of 16 KiB, these have ${clusterSize} bytes`);
  }
}

function checkTables(header: Qcow2Header, fileSize: number): void {
  const { fields, clusterSize, l1Needed, l1Offset } = header;
  if (l1Needed > fields.l1_size) {
    throw new Corrupt(`qcow2 header: l1_size ${fields.l1_size}, the virtual size needs ${l1Needed}`);
  }
  capped(fields.l1_size * 8, MAX_L1_BYTES, 'qcow2 L1 table bytes');
  capped(fields.refcount_table_clusters * clusterSize, MAX_REFCOUNT_TABLE_BYTES, 'qcow2 refcount table bytes');
  const refcountOffset = exact(fields.refcount_table_offset, 'qcow2 header: refcount_table_offset');
  aligned(refcountOffset, clusterSize, 'refcount_table_offset');
  assertWithin(
    { size: fileSize },
    refcountOffset,
    fields.refcount_table_clusters * clusterSize,
    'qcow2 refcount table',
  );
  if (l1Needed === 0) return;
  aligned(l1Offset, clusterSize, 'l1_table_offset');
  if (l1Offset === 0) throw new Corrupt('qcow2 header: l1_table_offset 0 is the header itself');
  assertWithin({ size: fileSize }, l1Offset, l1Needed * 8, 'qcow2 L1 table');
}

function aligned(offset: number, clusterSize: number, what: string): void {
  if (offset % clusterSize !== 0)
    throw new Corrupt(`qcow2 header: ${what} ${offset} is not a multiple of ${clusterSize}`);
}

export function compressionOf(header: Qcow2Header): Compression {
  return header.compressionType === 1 ? 'zstd' : 'deflate';
}
