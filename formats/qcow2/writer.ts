import { deflater, zstdCompressor } from '#codecs/deflate.ts';
import { encode, view } from '../engine/bytes.ts';
import { OffsetCursor } from '../engine/offset-cursor.ts';
import {
  type Assembler,
  type Encoder,
  type FormatWriter,
  PLAIN,
  type SlicePlaces,
  type TargetLayout,
} from '../engine/writer.ts';
import { HEADER_V2, HEADER_V3, INCOMPATIBLE, MAGIC, V3_LENGTH } from './header.ts';

/** Refcounts are 16 bits wide: what every reader takes, and more than the streams that fit into one cluster. */
const REFCOUNT_BYTES = 2;
const SECTOR = 512;
/** Header with the compression type byte: 104 bytes and one more, padded to 8. */
const HEADER_WITH_COMPRESSION = 112;

/** A 12-bit window is what qemu writes and every reader of the format can rely on (facts section 3.2). */
const deflate = deflater({ kind: 'raw', windowBits: 12, memLevel: 9, level: 6 });
const zstd = zstdCompressor();

/** A cluster that does not shrink is stored as it is. */
const cluster = (blockSize: number): number => blockSize;
const ENCODERS: Readonly<Record<string, Encoder>> = {
  zlib: { room: cluster, encode: (block, _, target) => deflate(block, target.subarray(0, block.length)) },
  zstd: { room: cluster, encode: (block, _, target) => zstd(block, target.subarray(0, block.length)) },
};

const USUAL_CLUSTER = 64 * 1024;

/** qcow2 version 3 as a target, plain or compressed. */
export const qcow2Writer = {
  format: 'qcow2',
  compressions: ['none', 'zlib', 'zstd'],
  clusterSizes: { least: 512, most: 2 * 1024 * 1024, usual: USUAL_CLUSTER },
  properties: {},
  sectorSize: SECTOR,
  blockSize: (clusterSize = USUAL_CLUSTER) => clusterSize,
  tables: {
    headLength: ({ target }) => target.blockSize,
    encoder: (compression) => ENCODERS[compression],
    assemble: qcow2Assembler,
  },
} as const satisfies FormatWriter;

/** Sizes of a result in clusters, and where its structures stand. */
interface Geometry {
  readonly clusterSize: number;
  readonly clusterBits: number;
  /** Guest clusters one L2 table maps. */
  readonly perL2: number;
  readonly l1Entries: number;
  readonly l1Clusters: number;
  /** L1 indexes that have an L2 table, ascending: only those with a stored cluster. */
  readonly tables: readonly number[];
  readonly refcountTable: number;
  readonly refcountBlocks: number;
  /** Clusters that hold bodies, the last one padded. */
  readonly bodyClusters: number;
  readonly totalClusters: number;
  /** File offsets. */
  readonly l1Offset: number;
  readonly refcountOffset: number;
}

/**
 * A qcow2 version 3 file whose tables stand behind its data (qcow2 specification; facts section 3.5):
 * header · plain clusters and compressed streams · L1 · L2 tables · refcount table · refcount blocks.
 */
function qcow2Assembler(plan: TargetLayout, index: Uint32Array, places: SlicePlaces): Assembler {
  const geometry = geometryOf(plan, index, places);
  const padding = (1 + geometry.bodyClusters) * geometry.clusterSize - places.end;
  return {
    tailLength: geometry.totalClusters * geometry.clusterSize - places.end,
    head: () => [headerCluster(plan, geometry)],
    *tail() {
      if (padding > 0) yield new Uint8Array(padding);
      yield l1Table(geometry);
      yield* l2Tables(plan, geometry, index, places);
      yield* refcounts(plan, geometry, index, places);
    },
  };
}

function geometryOf(plan: TargetLayout, index: Uint32Array, places: SlicePlaces): Geometry {
  const clusterSize = plan.target.blockSize;
  const perL2 = clusterSize / 8;
  const l1Entries = Math.ceil(index.length / perL2);
  const tables: number[] = [];
  for (let l1 = 0; l1 < l1Entries; l1++) {
    if (index.subarray(l1 * perL2, (l1 + 1) * perL2).some((entry) => entry !== 0)) tables.push(l1);
  }
  const l1Clusters = Math.max(1, Math.ceil((l1Entries * 8) / clusterSize));
  const bodyClusters = Math.ceil(places.end / clusterSize) - 1;
  const fixed = 1 + bodyClusters + l1Clusters + tables.length;
  // Refcount structures count themselves: grow until they cover the whole file.
  let refcountTable = 1;
  let refcountBlocks = 1;
  for (let stable = false; !stable; ) {
    const blocks = Math.ceil((fixed + refcountTable + refcountBlocks) / (clusterSize / REFCOUNT_BYTES));
    const table = Math.ceil((blocks * 8) / clusterSize);
    stable = blocks === refcountBlocks && table === refcountTable;
    refcountBlocks = blocks;
    refcountTable = table;
  }
  return {
    clusterSize,
    clusterBits: Math.log2(clusterSize),
    perL2,
    l1Entries,
    l1Clusters,
    tables,
    refcountTable,
    refcountBlocks,
    bodyClusters,
    totalClusters: fixed + refcountTable + refcountBlocks,
    l1Offset: (1 + bodyClusters) * clusterSize,
    refcountOffset: fixed * clusterSize,
  };
}

function headerCluster(plan: TargetLayout, geometry: Geometry): Uint8Array {
  const bytes = new Uint8Array(geometry.clusterSize);
  const zstd = plan.target.compression === 'zstd';
  const v2 = {
    magic: MAGIC,
    version: 3,
    backing_file_offset: 0n,
    backing_file_size: 0,
    cluster_bits: geometry.clusterBits,
    size: BigInt(plan.outputSize),
    crypt_method: 0,
    l1_size: geometry.l1Entries,
    l1_table_offset: BigInt(geometry.l1Offset),
    refcount_table_offset: BigInt(geometry.refcountOffset),
    refcount_table_clusters: geometry.refcountTable,
    nb_snapshots: 0,
    snapshots_offset: 0n,
  };
  const v3 = {
    incompatible_features: zstd ? INCOMPATIBLE.compressionType : 0n,
    compatible_features: 0n,
    autoclear_features: 0n,
    refcount_order: 4,
    header_length: HEADER_WITH_COMPRESSION,
  };
  encode(HEADER_V2, v2, bytes, 'BE');
  encode(HEADER_V3, v3, bytes, 'BE');
  bytes[V3_LENGTH] = zstd ? 1 : 0;
  return bytes;
}

/** Refcount table and blocks: 1 for every cluster, but for each with compressed streams the streams that touch it. */
function* refcounts(
  plan: TargetLayout,
  geometry: Geometry,
  index: Uint32Array,
  places: SlicePlaces,
): Generator<Uint8Array> {
  const { clusterSize, refcountTable, refcountBlocks, totalClusters } = geometry;
  const table = new Uint8Array(refcountTable * clusterSize);
  const tableView = view(table);
  for (let block = 0; block < refcountBlocks; block++) {
    const cluster = geometry.refcountOffset / clusterSize + refcountTable + block;
    tableView.setBigUint64(block * 8, BigInt(cluster * clusterSize));
  }
  yield table;
  const streams = streamCounts(plan, geometry, index, places);
  const perBlock = clusterSize / REFCOUNT_BYTES;
  for (let block = 0; block < refcountBlocks; block++) {
    const bytes = new Uint8Array(clusterSize);
    const data = view(bytes);
    const until = Math.min(perBlock, totalClusters - block * perBlock);
    for (let entry = 0; entry < until; entry++) {
      // A cluster without a stream is the header, a plain cluster or a table.
      data.setUint16(entry * REFCOUNT_BYTES, streams[block * perBlock + entry] || 1);
    }
    yield bytes;
  }
}

/** Compressed streams that touch each cluster of the file, up to the last body. */
function streamCounts(
  plan: TargetLayout,
  { clusterSize, bodyClusters }: Geometry,
  index: Uint32Array,
  places: SlicePlaces,
): Uint16Array {
  const counts = new Uint16Array(1 + bodyClusters);
  walk(plan, index, places, (_, entry, offset) => {
    if (entry >= PLAIN) return;
    const last = Math.floor((offset + entry - 1) / clusterSize);
    for (let cluster = Math.floor(offset / clusterSize); cluster <= last; cluster++) {
      counts[cluster] = (counts[cluster] ?? 0) + 1;
    }
  });
  return counts;
}

function l1Table(geometry: Geometry): Uint8Array {
  const bytes = new Uint8Array(geometry.l1Clusters * geometry.clusterSize);
  const data = view(bytes);
  const first = geometry.l1Offset + bytes.length;
  geometry.tables.forEach((l1, number) => {
    setEntry(data, l1 * 8, first + number * geometry.clusterSize, COPIED);
  });
  return bytes;
}

function* l2Tables(
  plan: TargetLayout,
  geometry: Geometry,
  index: Uint32Array,
  places: SlicePlaces,
): Generator<Uint8Array> {
  const offsets = new Float64Array(index.length > 0 ? geometry.perL2 : 0);
  const cursor = new OffsetCursor(plan, index, places);
  for (const l1 of geometry.tables) {
    const start = l1 * geometry.perL2;
    const end = Math.min(start + geometry.perL2, index.length);
    cursor.offsets(start, end, offsets);
    const bytes = new Uint8Array(geometry.clusterSize);
    const data = view(bytes);
    for (let block = start; block < end; block++) {
      const entry = index[block] ?? 0;
      const offset = offsets[block - start] ?? 0;
      if (entry >= PLAIN) setEntry(data, (block - start) * 8, offset, COPIED);
      else if (entry > 0) setCompressed(data, (block - start) * 8, offset, entry, geometry.clusterBits);
    }
    yield bytes;
  }
}

const COPIED = 0x8000_0000;
const COMPRESSED = 0x4000_0000;

function setEntry(data: DataView, at: number, offset: number, flags: number): void {
  data.setUint32(at, (Math.floor(offset / 0x1_0000_0000) | flags) >>> 0);
  data.setUint32(at + 4, offset % 0x1_0000_0000);
}

/** Byte offset below bit x = 70 - cluster_bits, additional 512-byte sectors from bit x (facts section 3.2). */
function setCompressed(data: DataView, at: number, offset: number, length: number, clusterBits: number): void {
  const sectors = Math.floor((offset + length - 1) / SECTOR) - Math.floor(offset / SECTOR);
  setEntry(data, at, offset, COMPRESSED | (sectors << (70 - clusterBits - 32)));
}

/** Calls back for every stored block in guest order with its index entry and file offset. */
function walk(
  plan: TargetLayout,
  index: Uint32Array,
  places: SlicePlaces,
  visit: (block: number, entry: number, offset: number) => void,
): void {
  const step = plan.sliceSize / plan.target.blockSize;
  const cursor = new OffsetCursor(plan, index, places);
  const offsets = new Float64Array(step);
  for (let start = 0; start < index.length; start += step) {
    const end = Math.min(start + step, index.length);
    cursor.offsets(start, end, offsets);
    for (let block = start; block < end; block++) {
      const entry = index[block] ?? 0;
      if (entry !== 0) visit(block, entry, offsets[block - start] ?? 0);
    }
  }
}
