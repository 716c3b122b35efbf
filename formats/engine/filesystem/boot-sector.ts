import { view } from '../bytes.ts';
import { fieldText, hasText } from '../match.ts';

/** What a FAT, NTFS or exFAT boot sector says about its filesystem. */
export interface BootSector {
  readonly filesystem: 'vfat' | 'ntfs' | 'exfat';
  readonly label?: string;
}

/** True for the boot sector of a filesystem, which carries 55AA as an MBR does but no partition table. */
export function isBootSector(head: Uint8Array): boolean {
  return readBootSector(head) !== undefined;
}

/** Reads a boot sector of at least 512 bytes; undefined when it is none. Facts section 1. */
export function readBootSector(head: Uint8Array): BootSector | undefined {
  if (head.length < 512 || head[510] !== 0x55 || head[511] !== 0xaa) return undefined;
  if (hasText(head, 3, 'NTFS    ')) return { filesystem: 'ntfs' };
  if (hasText(head, 3, 'EXFAT   ')) return { filesystem: 'exfat' };
  if (!isFatParameterBlock(head)) return undefined;
  const label = fatLabel(head);
  return { filesystem: 'vfat', ...(label === '' ? {} : { label }) };
}

/** A jump over the parameter block, and fields that no boot code or partition table has by chance. */
function isFatParameterBlock(head: Uint8Array): boolean {
  const data = view(head);
  const jump = (head[0] === 0xeb && head[2] === 0x90) || head[0] === 0xe9;
  const bytesPerSector = data.getUint16(11, true);
  const perCluster = data.getUint8(13);
  const fats = data.getUint8(16);
  return (
    jump &&
    [512, 1024, 2048, 4096].includes(bytesPerSector) &&
    perCluster !== 0 &&
    (perCluster & (perCluster - 1)) === 0 &&
    data.getUint16(14, true) !== 0 &&
    (fats === 1 || fats === 2) &&
    data.getUint8(21) >= 0xf0
  );
}

/** FAT32 keeps its label at 71, FAT12 and FAT16 at 43; both after an extended signature of 0x29. */
function fatLabel(head: Uint8Array): string {
  const label = head[66] === 0x29 ? fieldText(head, 71, 11) : head[38] === 0x29 ? fieldText(head, 43, 11) : '';
  return label === 'NO NAME' ? '' : label;
}
