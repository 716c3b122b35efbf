/**
 * The partition table of a disk, whatever format carries it, and what it says about firmware. A module of the engine
 * calls this on the guest's view of every disk. Facts section 2.
 */

import { isKernelHead } from '../kernel/kernel.ts';
import { isBootSector } from './filesystem/boot-sector.ts';
import { type Finding, finding } from './findings.ts';
import { isGptHeader } from './gpt/header.ts';
import { readGpt } from './gpt/table.ts';
import { BIOS_BOOT_GUID, ESP_GUID } from './gpt/types.ts';
import {
  bootRecordEntries,
  type DiskReader,
  isUsed,
  type MbrEntry,
  mbrFindings,
  mbrPartitions,
  type Partition,
} from './mbr/table.ts';
import { EFI_SYSTEM, EXTENDED, mbrTypeCode, PROTECTIVE } from './mbr/types.ts';

/** A partition table; `none` has no partitions. `sectorSize` is the unit of its addresses, 512 or 4096. */
export interface PartitionTable {
  readonly kind: 'mbr' | 'gpt' | 'none';
  readonly sectorSize: number;
  readonly partitions: readonly Partition[];
  readonly findings: readonly Finding[];
}

/** A firmware the disk can possibly start with, and what says so. */
export interface FirmwareHint {
  readonly firmware: 'uefi' | 'bios';
  readonly evidence: string;
}

/** LBA 1 is at one of these: disks with 512-byte sectors, and native 4 KiB disks. */
const SECTOR_SIZES = [512, 4096] as const;

/**
 * Reads the MBR or GPT of a disk of any format. Boot sectors of filesystems and Linux kernels carry 55AA too and are
 * not partition tables. Damage becomes findings.
 * @throws what `disk.read` throws
 */
export async function readPartitionTable(disk: DiskReader): Promise<PartitionTable> {
  const head = await disk.read(0, Math.min(disk.size, 8192));
  const entries = bootRecordEntries(head);
  const gptSector = SECTOR_SIZES.find((size) => isGptHeader(head, size));
  const guarded = entries?.some((entry) => entry.type === PROTECTIVE) ?? false;
  const bootCode = (isBootSector(head) || isKernelHead(head)) && !(guarded && gptSector !== undefined);
  if (entries === undefined || bootCode) {
    return { kind: 'none', sectorSize: 512, partitions: [], findings: unprotected(gptSector) };
  }
  return guarded ? gptTable(disk, gptSector ?? 512, entries) : mbrTable(disk, entries, gptSector);
}

async function gptTable(disk: DiskReader, sectorSize: number, entries: readonly MbrEntry[]): Promise<PartitionTable> {
  const gpt = await readGpt(disk, sectorSize);
  const findings = [...mbrFindings(entries), ...gpt.findings, ...placement(disk, gpt.partitions)];
  return { kind: 'gpt', sectorSize, partitions: gpt.partitions, findings };
}

async function mbrTable(
  disk: DiskReader,
  entries: readonly MbrEntry[],
  gptSector: number | undefined,
): Promise<PartitionTable> {
  const rules = [...mbrFindings(entries), ...unprotected(gptSector)];
  if (rules.some((rule) => rule.code === 'mbr_invalid')) {
    return { kind: 'none', sectorSize: 512, partitions: [], findings: rules };
  }
  if (!entries.some(isUsed)) {
    const empty = finding('mbr_empty', 'sector 0 has the 55AA signature and no partitions');
    return { kind: 'none', sectorSize: 512, partitions: [], findings: [...rules, empty] };
  }
  const { partitions, findings } = await mbrPartitions(disk, entries);
  return {
    kind: 'mbr',
    sectorSize: 512,
    partitions,
    findings: [
      ...rules,
      ...findings,
      ...placement(
        disk,
        partitions.filter((part) => !EXTENDED.has(Number(part.type))),
      ),
    ],
  };
}

function unprotected(gptSector: number | undefined): Finding[] {
  if (gptSector === undefined) return [];
  return [finding('gpt_unprotected', `a GPT header at offset ${gptSector} has no protective MBR: firmware disagrees`)];
}

/** A table can list thousands of wrong partitions; the first few tell what is wrong. */
const MAX_PLACEMENT_FINDINGS = 16;

/** Partitions past the end of the disk, or over one another. */
function placement(disk: DiskReader, partitions: readonly Partition[]): Finding[] {
  const found: Finding[] = [];
  const sorted = partitions.toSorted((a, b) => a.start - b.start);
  let previous: Partition | undefined;
  for (const part of sorted) {
    const end = part.start + part.size;
    if (end > disk.size) {
      found.push(finding('partition_outside', `partition ${part.index} ends at ${end}, the disk at ${disk.size}`));
    }
    if (previous !== undefined && part.start < previous.start + previous.size) {
      found.push(finding('partition_overlap', `partition ${part.index} starts within partition ${previous.index}`));
    }
    if (previous === undefined || end > previous.start + previous.size) previous = part;
  }
  return found.slice(0, MAX_PLACEMENT_FINDINGS);
}

/** Firmware that a partition table makes possible: hints with their evidence, never a verdict. UEFI first. */
export function firmwareHints(table: PartitionTable): FirmwareHint[] {
  const hints = table.partitions.flatMap((part): FirmwareHint[] => {
    if (part.type === ESP_GUID || part.type === mbrTypeCode(EFI_SYSTEM)) {
      return [{ firmware: 'uefi', evidence: `partition ${part.index} is an EFI system partition` }];
    }
    if (part.type === BIOS_BOOT_GUID) {
      return [{ firmware: 'bios', evidence: `partition ${part.index} is a BIOS boot partition` }];
    }
    return part.bootable ? [{ firmware: 'bios', evidence: `partition ${part.index} is marked active` }] : [];
  });
  return hints.toSorted((a, b) => b.firmware.localeCompare(a.firmware));
}
