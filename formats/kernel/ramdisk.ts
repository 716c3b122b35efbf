/** Initial RAM disks as they are stored in ARI images: a cpio archive, plain or compressed. Facts section 1. */
import { gunzipBeginning, unzstdBeginning } from '#codecs/peek.ts';
import { hasText } from '../engine/match.ts';
import { zstdHeaderRest } from '../engine/zstd-frame.ts';

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
  const block = 5 + zstdHeaderRest(head[4] ?? 0);
  const header = (head[block] ?? 0) | ((head[block + 1] ?? 0) << 8) | ((head[block + 2] ?? 0) << 16);
  const isRle = ((header >> 1) & 3) === 1;
  const end = block + 3 + (isRle ? 1 : header >> 3);
  return unzstdBeginning(head.subarray(0, end));
}
