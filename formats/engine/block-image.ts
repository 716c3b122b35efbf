import { uninitialized } from '#codecs/bytes.ts';
import type { BlockCodec, BlockMap } from './block-map.ts';
import { blockCount, HOLE, LOCATE_BLOCKS, placed, ZERO } from './block-map.ts';
import type { Piece } from './coalesce.ts';
import { readPieces } from './coalesce.ts';
import { Corrupt, Truncated } from './errors.ts';
import type { DiskImage, Extent, FormatName } from './image.ts';
import { InflatePairs } from './inflate/pair.ts';
import type { ByteSource } from './source.ts';
import { TableCache } from './table-cache.ts';

/** Decoded blocks kept for callers that ask for less than a block at a time. */
const DECODED_BYTES = 4 * 1024 * 1024;

/** The part of one block that a read wants. */
interface Want {
  readonly block: number;
  /** File offset of the stored block, or HOLE or ZERO. */
  readonly place: number;
  /** First wanted byte within the block. */
  readonly skip: number;
  readonly target: Uint8Array;
}

/** The reader of a block map: extents, and reads that cost few requests because neighbouring blocks are joined. */
export function blockImage(format: FormatName, map: BlockMap, source: ByteSource): DiskImage {
  const decoded = new TableCache(DECODED_BYTES);
  return {
    format,
    virtualSize: map.virtualSize,
    blockSize: map.blockSize,
    extents: (start, end) => extentsOf(map, start, end),
    async readInto(offset, target, targetIsZero = false) {
      const stored: Want[] = [];
      for (const want of await wants(map, offset, target)) {
        if (want.place >= 0) stored.push(want);
        else if (!targetIsZero) want.target.fill(0);
      }
      if (map.codec === undefined) await readPieces(source, plainPieces(stored));
      else await readCoded(source, map, map.codec, decoded, stored);
    },
  };
}

/** Cuts a read at block borders and looks up where each block is. @throws Truncated, Corrupt */
async function wants(map: BlockMap, offset: number, target: Uint8Array): Promise<Want[]> {
  const end = offset + target.length;
  if (offset < 0 || end > map.virtualSize) {
    throw new Truncated(`read of guest bytes ${offset}..${end}: the disk has ${map.virtualSize}`);
  }
  if (target.length === 0) return [];
  const first = Math.floor(offset / map.blockSize);
  const places = await placed(map, first, Math.floor((end - 1) / map.blockSize) - first + 1);
  const out: Want[] = [];
  let block = first;
  for (const place of places) {
    const start = block * map.blockSize;
    const from = Math.max(start, offset);
    const to = Math.min(start + map.blockSize, end);
    out.push({ block, place, skip: from - start, target: target.subarray(from - offset, to - offset) });
    block++;
  }
  return out;
}

/** Blocks stored one behind another become one piece, so that a read goes straight to its place. */
function plainPieces(stored: readonly Want[]): Piece[] {
  const out: { offset: number; length: number; target: Uint8Array }[] = [];
  for (const { place, skip, target } of stored) {
    const offset = place + skip;
    const last = out.at(-1);
    const follows =
      last !== undefined &&
      offset === last.offset + last.length &&
      target.byteOffset === last.target.byteOffset + last.length;
    if (follows) {
      last.length += target.length;
      last.target = new Uint8Array(last.target.buffer, last.target.byteOffset, last.length);
    } else out.push({ offset, length: target.length, target });
  }
  return out;
}

/** Reads runs of coded blocks in one go and decodes each. */
async function readCoded(
  source: ByteSource,
  map: BlockMap,
  codec: BlockCodec,
  decoded: TableCache,
  stored: readonly Want[],
): Promise<void> {
  const pieces: Piece[] = [];
  const pairs = new InflatePairs('zlib');
  for (const want of stored) {
    const kept = await decoded.peek(want.block);
    if (kept !== undefined) {
      deliver(want, kept);
      continue;
    }
    pieces.push({
      offset: want.place,
      length: Math.min(codec.maxStored, map.end - want.place),
      take(bytes) {
        if (want.target.length === map.blockSize) {
          pairs.add(codec.stream(want.block, bytes), want.target);
          return;
        }
        const block = codec.decode(want.block, bytes, uninitialized(map.blockSize));
        if (want.target.length < block.length) void decoded.put(want.block, Promise.resolve(block));
        deliver(want, block);
      },
    });
  }
  await readPieces(source, pieces, { delivered: () => pairs.end() });
}

function deliver({ block, skip, target }: Want, bytes: Uint8Array): void {
  if (skip + target.length > bytes.length) {
    throw new Corrupt(`block ${block}: ${bytes.length} bytes decoded, ${skip + target.length} needed`);
  }
  target.set(bytes.subarray(skip, skip + target.length));
}

async function* extentsOf(map: BlockMap, start: number, end: number): AsyncIterable<Extent> {
  const stop = Math.min(end, map.virtualSize);
  const lastBlock = Math.min(blockCount(map), Math.ceil(stop / map.blockSize));
  const compressed = map.codec !== undefined;
  let kind: number | undefined;
  let from = start;
  for (let first = Math.floor(start / map.blockSize); first < lastBlock; first += LOCATE_BLOCKS) {
    const places = await placed(map, first, Math.min(LOCATE_BLOCKS, lastBlock - first));
    for (let i = 0; i < places.length; i++) {
      const next = Math.min(0, places[i] ?? HOLE);
      const at = Math.max(start, (first + i) * map.blockSize);
      if (kind !== undefined && kind !== next) {
        yield extent(kind, from, at, compressed);
        from = at;
      }
      kind = next;
    }
  }
  if (kind !== undefined && from < stop) yield extent(kind, from, stop, compressed);
}

function extent(kind: number, start: number, end: number, compressed: boolean): Extent {
  const data = kind !== HOLE && kind !== ZERO;
  return { start, length: end - start, allocated: kind !== HOLE, zero: !data, compressed: data && compressed };
}
