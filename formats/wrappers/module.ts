/**
 * Compression wrappers (container_format compressed): named, with what their headers say, and never opened as disks.
 * Whether they are unpacked is the importing service's decision. Facts section 1.
 */

import type { NamedTraits } from '../catalog.ts';
import { view } from '../engine/bytes.ts';
import { type Finding, finding } from '../engine/findings.ts';
import type { FormatModule, ProbeWindow } from '../engine/image.ts';
import { fieldText, hasText } from '../engine/match.ts';
import { latin1 } from '../engine/text.ts';
import { firstZstdFrame, isZstd, zstdNeeds } from '../engine/zstd-frame.ts';
import { ramdiskFacts } from '../kernel/ramdisk.ts';
import { BZIP2, COMPRESS, GZIP, LZ4, LZIP, LZMA, LZOP, XZ, ZIP, ZSTD } from './traits.ts';

type Details = Record<string, unknown>;
type Facts = (window: ProbeWindow) => { details: Details; damage?: string };

/** A module that names a wrapper. A compressed ramdisk is an ARI, not a wrapper of something unknown. */
function wrapper(traits: NamedTraits, matches: (head: Uint8Array) => boolean, facts: Facts): FormatModule {
  const { format } = traits;
  return {
    ...traits,
    safetyRules: ['compressed_wrapper', 'corrupt'],
    probe: ({ head }) => matches(head) && ramdiskFacts(head) === undefined,
    async inspect(source, window) {
      const { details, damage } = facts(window);
      const findings: Finding[] = [
        finding(
          'compressed_wrapper',
          `${format} data: stored as it is${traits.wrapper ? ', or unpacked by an import' : ''}`,
        ),
      ];
      if (damage !== undefined) findings.push(finding('corrupt', `${format}: ${damage}`));
      return { format, virtualSize: source.size, findings, details: { compression: format, ...details } };
    },
  };
}

/** RFC 1952. `size_hint` is ISIZE: the last member's length modulo 2^32, so a hint only. */
export const gzipModule = wrapper(
  GZIP,
  (head) => hasText(head, 0, '\x1f\x8b\x08'),
  ({ head, tail, size }) => {
    const flags = head[3] ?? 0;
    if (size < 18) return { details: {}, damage: `${size} bytes are less than a header and a trailer` };
    if ((flags & 0xe0) !== 0) return { details: {}, damage: `reserved flag bits 0x${flags.toString(16)} are set` };
    const isize = view(tail).getUint32(tail.length - 4, true);
    // A name follows the ten bytes of the header when there is no extra field before it.
    const name = (flags & 0x0c) === 0x08 ? fieldText(head, 10, 255) : '';
    return { details: { size_hint: isize, ...(name === '' ? {} : { original_name: name }) } };
  },
);

/** .xz file format 1.2 section 2.1: stream header flags and the footer's magic. */
export const xzModule = wrapper(
  XZ,
  (head) => hasText(head, 0, '\xfd7zXZ\0'),
  ({ head, tail }) => {
    const check = { 0: 'none', 1: 'crc32', 4: 'crc64', 10: 'sha256' }[head[7] ?? -1];
    if (head[6] !== 0 || check === undefined) return { details: {}, damage: 'unknown stream flags' };
    // Streams may be followed by padding of zeros in multiples of four.
    const ends = latin1(tail).replace(/\0+$/u, '').endsWith('YZ');
    return { details: { check }, ...(ends ? {} : { damage: 'the stream footer is missing' }) };
  },
);

/** RFC 8878 section 3.1.1.1. `size_hint` when the first frame states its content size. */
export const zstdModule = wrapper(
  ZSTD,
  (head) => isZstd(head),
  ({ head: all }) => {
    const head = all.subarray(firstZstdFrame(all));
    if (head.length < 18) return { details: {} };
    const descriptor = head[4] ?? 0;
    if ((descriptor & 0x08) !== 0) return { details: {}, damage: 'the reserved bit of the frame descriptor is set' };
    const { contentSize } = zstdNeeds(head);
    return { details: Number.isSafeInteger(contentSize) ? { size_hint: contentSize } : {} };
  },
);

/** A block size digit and the magic of the first block, or of the end of an empty stream. */
export const bzip2Module = wrapper(
  BZIP2,
  (head) =>
    hasText(head, 0, 'BZh') &&
    fieldText(head, 3, 1) >= '1' &&
    fieldText(head, 3, 1) <= '9' &&
    (hasText(head, 4, '1AY&SY') || hasText(head, 4, '\x17rE8P\x90')),
  ({ head }) => ({ details: { block_size: Number(fieldText(head, 3, 1)) * 100_000 } }),
);

/** APPNOTE 6.3.10 section 4.3: first local header; the end record tells the number of members. */
export const zipModule = wrapper(
  ZIP,
  (head) => hasText(head, 0, 'PK\x03\x04'),
  ({ tail }) => {
    const end = latin1(tail).lastIndexOf('PK\x05\x06');
    if (end < 0 || end + 22 > tail.length) return { details: {} };
    return { details: { members: view(tail).getUint16(end + 10, true) } };
  },
);

/** A module that names a compression by its magic: nothing more is known of it. */
const packed = (traits: NamedTraits, matches: (head: Uint8Array) => boolean): FormatModule =>
  wrapper(traits, matches, () => ({ details: {} }));

export const packedModules: readonly FormatModule[] = [
  packed(LZMA, isLzma),
  // Frames, and the legacy frame of Linux kernels (LZ4 Frame Format Description).
  packed(LZ4, (head) => hasText(head, 0, '\x04\x22\x4d\x18') || hasText(head, 0, '\x02\x21\x4c\x18')),
  packed(LZOP, (head) => hasText(head, 0, '\x89LZO\0\r\n\x1a\n')),
  packed(LZIP, (head) => hasText(head, 0, 'LZIP\x01')),
  // Two magic bytes, and a third whose reserved bits are zero and whose code length is 9 to 16 bits.
  packed(COMPRESS, (head) => hasText(head, 0, '\x1f\x9d') && isCodeLength(head[2] ?? 0)),
];

const isCodeLength = (flags: number): boolean => (flags & 0x60) === 0 && (flags & 0x1f) >= 9 && (flags & 0x1f) <= 16;

/**
 * .lzma has no magic; xz takes for one what has properties of the usual kind, a dictionary of 2^n or 2^n + 2^(n-1) bytes, a length
 * that is unknown or below 256 GiB, and the zero with which coded bytes begin (liblzma, alone_decoder.c).
 */
function isLzma(head: Uint8Array): boolean {
  if (head.length < 14 || (head[0] ?? 255) >= 225 || head[13] !== 0) return false;
  const data = view(head);
  const dictionary = data.getUint32(1, true);
  const size = data.getBigUint64(5, true);
  const isKnownSize = size < 2n ** 38n && size > 0n;
  return head[0] === 0x5d && isDictionary(dictionary) && (isKnownSize || size === 2n ** 64n - 1n);
}

function isDictionary(bytes: number): boolean {
  if (bytes < 4096) return bytes > 0 && Number.isInteger(Math.log2(bytes));
  return bytes === 2 ** 32 - 1 || Number.isInteger(Math.log2(bytes)) || Number.isInteger(Math.log2(bytes / 3));
}
