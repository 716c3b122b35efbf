import { constants, deflateRawSync, zstdCompressSync } from 'node:zlib';
import { encodeGrain } from '../vmdk/writer.ts';
import type { Compression } from './plan.ts';

/**
 * Compresses one block that is not all zero.
 * @param guestOffset first guest byte of the block: part of what is stored in some formats
 * @returns what is stored, or undefined when the block is stored as it is
 */
export type Encoder = (block: Uint8Array, guestOffset: number) => Uint8Array | undefined;

const SECTOR = 512;

/** A 12-bit window is what qemu writes and every reader of the format can rely on (facts section 3.2). */
const DEFLATE = { windowBits: 12, memLevel: 9, level: 6 } as const;
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

function smaller(encoded: Uint8Array, block: Uint8Array): Uint8Array | undefined {
  return encoded.length < block.length ? encoded : undefined;
}

/** Per target format and compression; no entry stores blocks as they are. */
export const ENCODERS: Record<'raw' | 'qcow2' | 'vmdk', Partial<Record<Compression, Encoder>>> = {
  raw: {},
  qcow2: {
    zlib: (block) => smaller(deflateRawSync(block, { ...DEFLATE, chunkSize: block.length + 64 }), block),
    zstd: (block) => smaller(zstdCompressSync(block, { ...ZSTD, chunkSize: block.length + 64 }), block),
  },
  vmdk: { zlib: (block, guestOffset) => encodeGrain(guestOffset / SECTOR, block) ?? undefined },
};
