import { decompress } from 'fzstd';
import type { Codecs } from '../../engine/codecs.ts';
import { Corrupt } from '../../engine/errors.ts';
import { zstdNeeds } from '../../engine/zstd-frame.ts';

/** As on Node: a window above the largest qcow2 cluster is never needed. */
const MAX_WINDOW = 2 * 1024 * 1024;

/** By a decoder that does not look at a frame's checksum of its content. */
export const decodeFrame: Codecs['decodeFrame'] = (frame, room) => {
  const { window, contentSize } = zstdNeeds(frame);
  if (window > MAX_WINDOW) throw new Corrupt(`zstd block: a window of ${window} bytes, ${MAX_WINDOW} at most`);
  if (contentSize !== undefined && contentSize > room.length) {
    throw new Corrupt(`zstd block: more than ${room.length} bytes come out`);
  }
  let out: Uint8Array;
  try {
    out = decompress(frame);
  } catch (error) {
    throw new Corrupt(`zstd block: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (out.length > room.length) throw new Corrupt(`zstd block: more than ${room.length} bytes came out`);
  room.set(out);
  return out.length;
};
