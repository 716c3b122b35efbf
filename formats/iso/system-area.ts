/**
 * The first 32 KiB of an ISO belong to nobody, so another format's header fits there and the file is two things at once.
 * Boot code, MBR, GPT and Apple's partition map are legitimate; these are not. Facts sections 1, 9 and 12.
 */
import type { ProbeWindow } from '../engine/image.ts';
import { hasText } from '../engine/match.ts';
import { BLOCK, isTarHeader } from '../tar/header.ts';

/** Name, offset and bytes (Latin-1) of headers that other readers would believe. */
const HEADERS: readonly (readonly [name: string, offset: number, magic: string])[] = [
  ['qcow2', 0, 'QFI\xfb'],
  ['qed', 0, 'QED\0'],
  ['vmdk', 0, 'KDMV'],
  ['cowd', 0, 'COWD'],
  ['sesparse', 0, '\xbe\xba\xfe\xca\0\0\0\0'],
  ['vmdk', 0, '# Disk DescriptorFile'],
  ['vdi', 0x40, '\x7f\x10\xda\xbe'],
  ['vhd', 0, 'conectix'],
  ['vhdx', 0, 'vhdxfile'],
  ['ploop', 0, 'WithoutFreeSpace'],
  ['ploop', 0, 'WithouFreSpacExt'],
  ['luks', 0, 'LUKS\xba\xbe'],
  ['gzip', 0, '\x1f\x8b\x08'],
  ['zstd', 0, '\x28\xb5\x2f\xfd'],
  ['xz', 0, '\xfd7zXZ\0'],
  ['bzip2', 0, 'BZh'],
  ['zip', 0, 'PK\x03\x04'],
];

/** Names of the other formats whose marks an ISO carries at its start or end. */
export function foreignHeaders({ head, tail }: ProbeWindow): string[] {
  const found = HEADERS.filter(([, offset, magic]) => hasText(head, offset, magic)).map(([name]) => name);
  if (isTarHeader(head.subarray(0, BLOCK))) found.push('tar');
  if (hasText(tail, tail.length - 512, 'conectix') || hasText(tail, tail.length - 511, 'conectix')) found.push('vhd');
  return [...new Set(found)];
}
