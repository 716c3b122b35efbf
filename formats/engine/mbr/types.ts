/** Partition type bytes of an MBR that images use, by name (facts section 2). */
const NAMES: Readonly<Record<number, string>> = {
  1: 'FAT12',
  4: 'FAT16',
  5: 'Extended',
  6: 'FAT16',
  7: 'NTFS or exFAT',
  11: 'FAT32',
  12: 'FAT32 LBA',
  14: 'FAT16 LBA',
  15: 'Extended LBA',
  23: 'Hidden NTFS',
  39: 'Windows recovery',
  65: 'PReP boot',
  66: 'Windows dynamic',
  130: 'Linux swap',
  131: 'Linux',
  133: 'Linux extended',
  142: 'Linux LVM',
  165: 'FreeBSD',
  166: 'OpenBSD',
  169: 'NetBSD',
  175: 'Apple HFS',
  191: 'Solaris',
  238: 'GPT protective',
  239: 'EFI system',
  253: 'Linux RAID',
};

/** Type byte of the entry that protects a GPT from tools that know only the MBR. */
export const PROTECTIVE = 0xee;
/** Type byte of an EFI system partition on an MBR disk. */
export const EFI_SYSTEM = 0xef;
/** Type bytes whose partition holds a chain of EBRs. */
export const EXTENDED: ReadonlySet<number> = new Set([0x05, 0x0f, 0x85]);

/** `0x83` for type byte 131. */
export function mbrTypeCode(type: number): string {
  return `0x${type.toString(16).padStart(2, '0')}`;
}

/** Name of a type byte; `Unknown` when it has none here. */
export function mbrTypeName(type: number): string {
  return NAMES[type] ?? 'Unknown';
}
