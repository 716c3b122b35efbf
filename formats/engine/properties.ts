import type { FirmwareHint } from './partitions.ts';

/**
 * Image properties that Glance and Nova know by these names and that a format's facts may carry (facts section 14). A
 * fact of this name, or of it with `_hint`, that is a text or number is a suggestion for the property of the same name.
 */
const PROPERTY_NAMES: readonly string[] = [
  'vmware_adaptertype',
  'vmware_disktype',
  'vmware_ostype',
  'hw_disk_bus',
  'hw_cdrom_bus',
  'hw_scsi_model',
  'hw_vif_model',
  'hw_firmware_type',
  'hw_machine_type',
  'hw_video_model',
  'os_type',
  'os_distro',
  'architecture',
];

/** What a fact may say and no hypervisor of Nova's runs: a server whose image says so does not start. */
const NO_VALUES: Readonly<Record<string, readonly string[]>> = {
  architecture: ['riscv64', 'loongarch64'],
  vmware_adaptertype: ['legacyESX'],
};

function own(details: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(details, name) ? details[name] : undefined;
}

/** Suggestions out of a format's facts, and the firmware when only one is possible. */
export function propertyHints(
  details: Readonly<Record<string, unknown>>,
  firmware: readonly FirmwareHint[],
): Record<string, string> {
  const hints: Record<string, string> = {};
  for (const name of PROPERTY_NAMES) {
    const value = own(details, name) ?? own(details, `${name}_hint`);
    if (typeof value !== 'string' && typeof value !== 'number') continue;
    if (NO_VALUES[name]?.includes(String(value)) !== true) hints[name] = String(value);
  }
  const kinds = new Set(firmware.map((hint) => hint.firmware));
  const [only] = kinds;
  if (kinds.size === 1 && only !== undefined) hints['hw_firmware_type'] ??= only;
  return hints;
}
