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
import { zstdNeeds } from '../engine/zstd-frame.ts';
import { ramdiskFacts } from '../kernel/ramdisk.ts';
import { BZIP2, GZIP, XZ, ZIP, ZSTD } from './traits.ts';

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
        finding('compressed_wrapper', `${format} data: stored as it is, or unpacked by an import`),
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
  (head) => hasText(head, 0, '\x28\xb5\x2f\xfd'),
  ({ head }) => {
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
