/** Partition type GUIDs that images use, by name (UEFI 2.10 section 5.3.3, Discoverable Partitions Specification). */
const NAMES: Readonly<Record<string, string>> = {
  'C12A7328-F81F-11D2-BA4B-00A0C93EC93B': 'EFI system',
  '21686148-6449-6E6F-744E-656564454649': 'BIOS boot',
  '0FC63DAF-8483-4772-8E79-3D69D8477DE4': 'Linux filesystem',
  '0657FD6D-A4AB-43C4-84E5-0933C84B4F4F': 'Linux swap',
  'E6D6D379-F507-44C2-A23C-238F2A3DF928': 'Linux LVM',
  'A19D880F-05FC-4D3B-A006-743F0F84911E': 'Linux RAID',
  'BC13C2FF-59E6-4262-A352-B275FD6F7172': 'Linux extended boot',
  '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709': 'Linux root x86-64',
  'B921B045-1DF0-41C3-AF44-4C6F280D3FAE': 'Linux root ARM64',
  '44479540-F297-41B2-9AF7-D131D5F0458A': 'Linux root x86',
  '9E1A2D38-C612-4316-AA26-8B49521E5A8B': 'PReP boot',
  'EBD0A0A2-B9E5-4433-87C0-68B6B72699C7': 'Microsoft basic data',
  'E3C9E316-0B5C-4DB8-817D-F92DF00215AE': 'Microsoft reserved',
  'DE94BBA4-06D1-4D40-A16A-BFD50179D6AC': 'Windows recovery',
  '516E7CB6-6ECF-11D6-8FF8-00022D09712B': 'FreeBSD UFS',
  '83BD6B9D-7F41-11DC-BE0B-001560B84F0F': 'FreeBSD boot',
  '48465300-0000-11AA-AA11-00306543ECAC': 'Apple HFS+',
};

/** Type of an EFI system partition. */
export const ESP_GUID = 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B';
/** Type of the partition that holds GRUB's core image on BIOS machines. */
export const BIOS_BOOT_GUID = '21686148-6449-6E6F-744E-656564454649';
/** Type of an unused entry. */
export const UNUSED_GUID = '00000000-0000-0000-0000-000000000000';

/** Name of a partition type GUID; `Unknown` when it has none here. */
export function gptTypeName(guid: string): string {
  return NAMES[guid] ?? 'Unknown';
}

/** Mixed-endian GUID at `offset` as upper-case text. */
export function guidText(bytes: Uint8Array, offset: number): string {
  const hex = (at: readonly number[]) => at.map((i) => (bytes[offset + i] ?? 0).toString(16).padStart(2, '0')).join('');
  return [
    [3, 2, 1, 0],
    [5, 4],
    [7, 6],
    [8, 9],
    [10, 11, 12, 13, 14, 15],
  ]
    .map(hex)
    .join('-')
    .toUpperCase();
}
