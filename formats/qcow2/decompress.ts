import { constants, inflateRawSync, zstdDecompressSync } from 'node:zlib';
import { Corrupt } from '../errors.ts';
import { zstdFrameLength } from '../zstd-frame.ts';
import type { Compression } from './header.ts';

/**
 * One cluster out of its compressed stream. Bytes behind the stream are normal: streams share host sectors.
 * @param input the stream and whatever follows it in its last sector
 * @returns exactly `clusterSize` bytes
 * @throws Corrupt when the stream is damaged, gives less than a cluster, or more
 */
export function decompressCluster(compression: Compression, input: Uint8Array, clusterSize: number): Uint8Array {
  try {
    return DECODERS[compression](input, clusterSize);
  } catch (error) {
    if (error instanceof Corrupt) throw error;
    throw new Corrupt(`qcow2 compressed cluster: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

const DECODERS: Record<Compression, (input: Uint8Array, clusterSize: number) => Uint8Array> = { deflate, zstd };

function deflate(input: Uint8Array, clusterSize: number): Uint8Array {
  // One spare chunk byte keeps zlib from allocating a second chunk to learn that the stream has ended. SYNC_FLUSH: a
  // stream whose end marker lies in the cut-off part of the last sector still gives its whole cluster.
  const out = inflateRawSync(input, {
    chunkSize: clusterSize + 64,
    maxOutputLength: clusterSize,
    finishFlush: constants.Z_SYNC_FLUSH,
  });
  return wholeCluster(out, clusterSize);
}

/** A window above the largest cluster is never needed: a bigger one only asks for memory (2^21 = 2 MiB). */
const ZSTD_PARAMS = { [constants.ZSTD_d_windowLogMax]: 21 };

function zstd(input: Uint8Array, clusterSize: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let at = 0; length < clusterSize; ) {
    const end = at + zstdFrameLength(input.subarray(at));
    const frame = zstdDecompressSync(input.subarray(at, end), {
      chunkSize: clusterSize + 64,
      maxOutputLength: clusterSize - length,
      params: ZSTD_PARAMS,
    });
    // An empty frame makes no progress but moves `at`, so the walk ends with the input.
    if (frame.length > 0) parts.push(frame);
    length += frame.length;
    at = end;
  }
  const first = parts[0];
  return wholeCluster(parts.length === 1 && first !== undefined ? first : Buffer.concat(parts), clusterSize);
}

function wholeCluster(out: Uint8Array, clusterSize: number): Uint8Array {
  if (out.length !== clusterSize) {
    throw new Corrupt(`qcow2 compressed cluster: ${out.length} bytes came out, a cluster has ${clusterSize}`);
  }
  return out;
}
