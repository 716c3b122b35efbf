/** Decodes many small zstd blocks on one thread: one decoder goes from frame to frame and writes into the caller's buffer. */
import { constants, createZstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { Codecs } from '../../engine/codecs.ts';
import { Corrupt } from '../../engine/errors.ts';
import { ZlibHandle } from '../zlib-handle.ts';

/** A window above the largest qcow2 cluster is never needed: a bigger one only asks for memory (2^21 = 2 MiB). */
const PARAMS = { [constants.ZSTD_d_windowLogMax]: 21 };

/** Between calls it stands before a frame; dropped when it does not, for an error cannot be taken back from it. */
let decoder: ZlibHandle | null | undefined;

export const decodeFrame: Codecs['decodeFrame'] = (frame, room) => {
  if (decoder === undefined) decoder = ZlibHandle.of(createZstdDecompress({ params: PARAMS }));
  if (decoder === null) return frameOneShot(frame, room);
  const used = decoder;
  decoder = undefined;
  const length = decodeWith(used, frame, room);
  decoder = used;
  return length;
};

/** One byte to see whether a frame goes on past its block. */
const SPARE = new Uint8Array(1);

function decodeWith(used: ZlibHandle, frame: Uint8Array, room: Uint8Array): number {
  used.feed(constants.ZSTD_e_continue, frame, room);
  const left = used.roomLeft;
  if (used.failure === undefined && left === 0) {
    used.feed(constants.ZSTD_e_continue, frame.subarray(frame.length - used.inputLeft), SPARE);
    if (used.roomLeft === 0) throw new Corrupt(`zstd block: more than ${room.length} bytes came out`);
  }
  if (used.failure !== undefined) throw new Corrupt(`zstd block: ${used.failure}`);
  return room.length - left;
}

/** As `decodeFrame`, through Node's public interface. */
export function frameOneShot(frame: Uint8Array, room: Uint8Array): number {
  let out: Uint8Array;
  try {
    // Room above the block: zstd then ends in a single pass, without a second buffer.
    out = zstdDecompressSync(frame, { chunkSize: room.length + 64, maxOutputLength: room.length, params: PARAMS });
  } catch (error) {
    throw new Corrupt(`zstd block: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  room.set(out);
  return out.length;
}
