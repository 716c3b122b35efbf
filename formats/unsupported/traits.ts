import type { FormatTraits } from '../engine/traits.ts';

/** QEMU Enhanced Disk. */
export const QED = { format: 'qed' } as const satisfies FormatTraits;

/** The first qcow. */
export const QCOW1 = { format: 'qcow1' } as const satisfies FormatTraits;

/** ESX copy-on-write extent. */
export const COWD = { format: 'cowd' } as const satisfies FormatTraits;

/** ESX space-efficient sparse extent. */
export const SESPARSE = { format: 'sesparse' } as const satisfies FormatTraits;

/** 7-Zip archive. */
export const SEVEN_ZIP = { format: '7z' } as const satisfies FormatTraits;

/** RAR archive. */
export const RAR = { format: 'rar' } as const satisfies FormatTraits;

/** Sparse image of Android, as fastboot takes it. */
export const ANDROID_SPARSE = { format: 'android-sparse' } as const satisfies FormatTraits;

/** Apple disk image. */
export const DMG = { format: 'dmg' } as const satisfies FormatTraits;

/** Windows Imaging Format archive. */
export const WIM = { format: 'wim' } as const satisfies FormatTraits;

/** Backup of a virtual machine as Proxmox writes it. */
export const VMA = { format: 'vma' } as const satisfies FormatTraits;

/** Image of an NTFS volume as ntfsclone writes it. */
export const NTFSCLONE = { format: 'ntfsclone' } as const satisfies FormatTraits;
