/**
 * Names the filesystem at the start of a disk or partition: a fact for people (AMI images are bare filesystems), never
 * a reason to open or refuse anything. Facts section 1.
 */

import { view } from '../bytes.ts';
import { fieldText, hasText } from '../match.ts';
import { hex } from '../text.ts';
import { readBootSector } from './boot-sector.ts';

/** A filesystem and, where stored, its label and UUID. */
export interface Filesystem {
  readonly filesystem: 'ext2' | 'ext3' | 'ext4' | 'xfs' | 'btrfs' | 'ntfs' | 'exfat' | 'vfat' | 'squashfs' | 'swap';
  readonly label?: string;
  readonly uuid?: string;
}

/** ext feature bits: a journal makes ext3; extents, 64-bit, flexible groups or checksums make ext4. */
const EXT_JOURNAL = 0x4;
const EXT4_INCOMPAT = 0x40 | 0x80 | 0x200;
const EXT4_RO_COMPAT = 0x8 | 0x10 | 0x20 | 0x40 | 0x400;

/**
 * The filesystem whose first bytes these are; undefined when none is recognised. 68 KiB are enough for every kind: the superblock of
 * btrfs is the farthest of those looked for, 4 KiB at 64 KiB.
 */
export function filesystemOf(head: Uint8Array): Filesystem | undefined {
  return ext(head) ?? xfs(head) ?? btrfs(head) ?? squashfs(head) ?? swap(head) ?? readBootSector(head);
}

function ext(head: Uint8Array): Filesystem | undefined {
  const base = 1024;
  if (head.length < base + 264) return undefined;
  const data = view(head);
  if (data.getUint16(base + 56, true) !== 0xef53 || data.getUint32(base + 24, true) > 6) return undefined;
  const compat = data.getUint32(base + 92, true);
  const incompat = data.getUint32(base + 96, true);
  const readOnlyCompat = data.getUint32(base + 100, true);
  const four = (incompat & EXT4_INCOMPAT) !== 0 || (readOnlyCompat & EXT4_RO_COMPAT) !== 0;
  const filesystem = four ? 'ext4' : (compat & EXT_JOURNAL) !== 0 ? 'ext3' : 'ext2';
  return { filesystem, ...named(fieldText(head, base + 120, 16)), uuid: uuidText(head, base + 104) };
}

function xfs(head: Uint8Array): Filesystem | undefined {
  if (!hasText(head, 0, 'XFSB') || head.length < 120) return undefined;
  return { filesystem: 'xfs', ...named(fieldText(head, 108, 12)), uuid: uuidText(head, 32) };
}

function btrfs(head: Uint8Array): Filesystem | undefined {
  const base = 64 * 1024;
  if (!hasText(head, base + 64, '_BHRfS_M') || head.length < base + 0x12b + 256) return undefined;
  return { filesystem: 'btrfs', ...named(fieldText(head, base + 0x12b, 256)), uuid: uuidText(head, base + 32) };
}

function squashfs(head: Uint8Array): Filesystem | undefined {
  return hasText(head, 0, 'hsqs') && head[28] === 4 ? { filesystem: 'squashfs' } : undefined;
}

function swap(head: Uint8Array): Filesystem | undefined {
  return hasText(head, 4086, 'SWAPSPACE2') ? { filesystem: 'swap' } : undefined;
}

function named(label: string): { label?: string } {
  return label === '' ? {} : { label };
}

function uuidText(bytes: Uint8Array, offset: number): string {
  const text = hex(bytes.subarray(offset, offset + 16));
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-');
}
