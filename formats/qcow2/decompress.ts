import { constants, zstdDecompressSync } from 'node:zlib';
import { Corrupt } from '../errors.ts';
import { inflateInto } from '../inflate.ts';
import { zstdFrameLength } from '../zstd-frame.ts';
import type { Compression } from './header.ts';

/**
 * One cluster out of its compressed stream. Bytes behind the stream are normal: streams share host sectors.
 * @param input the stream and whatever follows it in its last sector
 * @param target takes exactly one cluster
 * @throws Corrupt when the stream is damaged, gives less than a cluster, or more
 */
export function decompressCluster(compression: Compression, input: Uint8Array, target: Uint8Array): void {
  if (compression === 'deflate') inflateInto('raw', input, target);
  else zstd(input, target);
}

/** A window above the largest cluster is never needed: a bigger one only asks for memory (2^21 = 2 MiB). */
const ZSTD_PARAMS = { [constants.ZSTD_d_windowLogMax]: 21 };

/** One or more frames, until the cluster is full. */
function zstd(input: Uint8Array, target: Uint8Array): void {
  let length = 0;
  for (let at = 0; length < target.length; ) {
    const end = at + zstdFrameLength(input.subarray(at));
    const frame = zstdFrame(input.subarray(at, end), target.length - length);
    target.set(frame, length);
    length += frame.length;
    // An empty frame adds nothing but moves `at`, so the walk ends with the input.
    at = end;
  }
}

function zstdFrame(frame: Uint8Array, room: number): Uint8Array {
  try {
    // Room above the cluster: zstd then ends in a single pass, without a second buffer.
    return zstdDecompressSync(frame, { chunkSize: room + 64, maxOutputLength: room, params: ZSTD_PARAMS });
  } catch (error) {
    throw new Corrupt(`zstd cluster: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
