/** ISO 9660 and UDF discs: stored and read as they are; an import never converts them, the command does when it is told to. Facts section 9. */

import { asFinding, type Finding, finding } from '../engine/findings.ts';
import type { FormatFacts, FormatModule, ProbeWindow } from '../engine/image.ts';
import { hasText } from '../engine/match.ts';
import { opaqueImage } from '../engine/opaque-image.ts';
import { type FirmwareHint, readPartitionTable } from '../engine/partitions.ts';
import type { ByteSource } from '../engine/source.ts';
import { type BootEntry, readBootCatalog } from './boot-catalog.ts';
import { foreignHeaders } from './system-area.ts';
import { ISO } from './traits.ts';
import { hasRockRidge, type IsoVolume, readVolume, SYSTEM_AREA } from './volume.ts';

/** Optical disc images: ISO 9660 with or without extensions, UDF bridge, UDF alone, hybrids that boot from USB sticks. */
export const isoModule: FormatModule = {
  ...ISO,
  safetyRules: ['multiple_formats', 'truncated', 'corrupt'],
  probe: ({ head }) => hasText(head, SYSTEM_AREA + 1, 'CD001') || isUdf(head),
  inspect: inspectIso,
  open: async (source) => opaqueImage('iso', source),
};

/** UDF without ISO 9660 starts its recognition sequence with BEA01; the NSR descriptor follows at once. */
function isUdf(head: Uint8Array): boolean {
  return hasText(head, SYSTEM_AREA + 1, 'BEA01') && hasText(head, SYSTEM_AREA + 2049, 'NSR0');
}

async function inspectIso(source: ByteSource, window: ProbeWindow): Promise<FormatFacts> {
  const findings: Finding[] = foreignHeaders(window).map((name) =>
    finding('multiple_formats', `an ISO whose first or last bytes are a ${name} header: two formats in one file`),
  );
  let volume: IsoVolume;
  try {
    volume = await readVolume(source);
  } catch (error) {
    return { format: 'iso', virtualSize: source.size, findings: [...findings, asFinding(error)], details: {} };
  }
  if (volume.volumeSize !== undefined && volume.volumeSize > source.size) {
    const both = `${volume.volumeSize} bytes, the object has ${source.size}`;
    findings.push(finding('truncated', `ISO 9660: the volume has ${both}`));
  }
  const boot = await bootEntries(source, volume, findings);
  const hybrid = await hybridKind(source, window);
  return {
    format: 'iso',
    virtualSize: source.size,
    subformat: volume.iso9660 ? (volume.udf === undefined ? 'iso9660' : 'udf-bridge') : 'udf',
    firmware: firmwareOf(boot),
    findings,
    details: {
      ...volumeDetails(volume),
      rock_ridge: await hasRockRidge(source, volume),
      bootable: boot.length > 0,
      boot_platforms: [...new Set(boot.map((entry) => entry.platform))],
      ...(hybrid === undefined ? {} : { hybrid }),
    },
  };
}

function volumeDetails(volume: IsoVolume): Record<string, unknown> {
  return {
    volume_id: volume.volumeId,
    ...(volume.volumeSize === undefined ? {} : { volume_size: volume.volumeSize }),
    ...(volume.publisher === '' ? {} : { publisher: volume.publisher }),
    ...(volume.application === '' ? {} : { application: volume.application }),
    joliet: volume.joliet,
    udf: volume.udf !== undefined,
  };
}

/** A broken catalogue makes a disc unbootable, not dangerous. */
async function bootEntries(source: ByteSource, volume: IsoVolume, findings: Finding[]): Promise<BootEntry[]> {
  if (volume.bootCatalog === undefined) return [];
  try {
    return await readBootCatalog(source, volume.bootCatalog);
  } catch (error) {
    findings.push(finding('boot_catalog', asFinding(error).message));
    return [];
  }
}

/**
 * A partition table over the disc, for starting from a stick. Its entries overlap each other and the volume by design,
 * so the strict rules for disks do not apply.
 */
async function hybridKind(source: ByteSource, { head }: ProbeWindow): Promise<'mbr' | 'gpt' | 'apple' | undefined> {
  const { kind, partitions } = await readPartitionTable(source);
  if (kind === 'gpt') return 'gpt';
  if (hasText(head, 512, 'EFI PART')) return 'gpt';
  if (kind === 'mbr' && partitions.length > 0) return 'mbr';
  return hasText(head, 0, 'ER') && hasText(head, 512, 'PM') ? 'apple' : undefined;
}

/** Firmware that can start the disc, with the evidence. */
function firmwareOf(boot: readonly BootEntry[]): FirmwareHint[] {
  const hints: FirmwareHint[] = [];
  if (boot.some((entry) => entry.platform === 'efi')) {
    hints.push({ firmware: 'uefi', evidence: 'El Torito catalogue has an EFI entry' });
  }
  if (boot.some((entry) => entry.platform === 'x86')) {
    hints.push({ firmware: 'bios', evidence: 'El Torito catalogue has an x86 entry' });
  }
  return hints;
}
