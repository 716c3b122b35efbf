import { deflater, zstdCompressor } from '#codecs/deflate.ts';
import { encodeGrain, grainRoom } from '../../vmdk/writer.ts';
import type { Compression } from './plan.ts';

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

const SECTOR = 512;

/** A 12-bit window is what qemu writes and every reader of the format can rely on (facts section 3.2). */
const deflate = deflater({ kind: 'raw', windowBits: 12, memLevel: 9, level: 6 });
const zstd = zstdCompressor();

/** A cluster that does not shrink is stored as it is. */
const cluster = (blockSize: number): number => blockSize;

/** Per target format and compression; no entry stores blocks as they are. */
export const ENCODERS: Record<'raw' | 'qcow2' | 'vmdk', Partial<Record<Compression, Encoder>>> = {
  raw: {},
  qcow2: {
    zlib: { room: cluster, encode: (block, _, target) => deflate(block, target.subarray(0, block.length)) },
    zstd: { room: cluster, encode: (block, _, target) => zstd(block, target.subarray(0, block.length)) },
  },
  vmdk: {
    zlib: {
      room: grainRoom,
      encode: (block, guestOffset, target) => encodeGrain(guestOffset / SECTOR, block, target),
    },
  },
};
