import { inflateInto } from '../engine/inflate/into.ts';
import { unzstdInto } from '../engine/zstd.ts';
import type { Compression } from './header.ts';

/**
 * One cluster out of its compressed stream. Bytes behind the stream are normal: streams share host sectors.
 * @param input the stream and whatever follows it in its last sector
 * @param target takes exactly one cluster
 * @throws Corrupt when the stream is damaged, gives less than a cluster, or more
 */
export function decompressCluster(compression: Compression, input: Uint8Array, target: Uint8Array): void {
  if (compression === 'deflate') inflateInto('raw', input, target);
  else unzstdInto(input, target);
}
