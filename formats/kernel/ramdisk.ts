/** Initial RAM disks as they are stored in ARI images: a cpio archive, plain or compressed. Facts section 1. */
import { gunzipBeginning, unzstdBeginning } from '#codecs/peek.ts';
import { hasText } from '../engine/match.ts';

/** `compression` is absent for a plain archive. */
export interface RamdiskFacts {
  readonly ramdisk: 'cpio';
  readonly compression?: 'gzip' | 'zstd';
}

/**
 * Compressed bytes looked at. Deflate expands at most 1032 times, so this yields at most 4 MiB; a gzip header with a
 * long file name still leaves room for the first block.
 */
const PEEK_BYTES = 4096;

/** Facts of the ramdisk whose first bytes these are, or undefined. Never throws. */
export function ramdiskFacts(head: Uint8Array): RamdiskFacts | undefined {
  if (isCpio(head)) return { ramdisk: 'cpio' };
  if (hasText(head, 0, '\x1f\x8b\x08')) {
    const inner = attempt(() => gunzipBeginning(head.subarray(0, PEEK_BYTES)));
    return isCpio(inner) ? { ramdisk: 'cpio', compression: 'gzip' } : undefined;
  }
  if (hasText(head, 0, '\x28\xb5\x2f\xfd')) {
    const inner = attempt(() => zstdFirstBlock(head));
    return isCpio(inner) ? { ramdisk: 'cpio', compression: 'zstd' } : undefined;
  }
  return undefined;
}

/** cpio "newc" without and with checksums. */
function isCpio(bytes: Uint8Array): boolean {
  return hasText(bytes, 0, '070701') || hasText(bytes, 0, '070702');
}

/** Whatever is wrong with the stream: then it is no ramdisk that can be recognised. */
function attempt(decode: () => Uint8Array): Uint8Array {
  try {
    return decode();
  } catch {
    return new Uint8Array();
  }
}

/** Expands the first block only (RFC 8878 section 3.1.1.2): at most 128 KiB come out, whatever the stream claims. */
function zstdFirstBlock(head: Uint8Array): Uint8Array {
  const block = zstdFirstBlockOffset(head[4] ?? 0);
  const header = (head[block] ?? 0) | ((head[block + 1] ?? 0) << 8) | ((head[block + 2] ?? 0) << 16);
  const isRle = ((header >> 1) & 3) === 1;
  const end = block + 3 + (isRle ? 1 : header >> 3);
  return unzstdBeginning(head.subarray(0, end));
}

/** Magic, descriptor, window byte, dictionary id, content size: then the first block. */
function zstdFirstBlockOffset(descriptor: number): number {
  const single = (descriptor & 0x20) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const contentSize = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  return 5 + (single ? 0 : 1) + dictionary + contentSize;
}
