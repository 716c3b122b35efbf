/** The GPT of a disk: primary header, else the backup; partitions and what is odd about them. Facts section 2. */

import { exact, sameBytes, view } from '../bytes.ts';
import { Corrupt, FormatError } from '../errors.ts';
import { asFinding, type Finding, finding } from '../findings.ts';
import type { DiskReader, Partition } from '../mbr/table.ts';
import { utf16le } from '../text.ts';
import { type GptTable, readGptTable } from './header.ts';
import { gptTypeName, guidText, UNUSED_GUID } from './types.ts';

/** Attribute bit 2: legacy BIOS bootable. */
const LEGACY_BOOT = 4;

export interface GptResult {
  readonly sectorSize: number;
  readonly partitions: readonly Partition[];
  readonly findings: readonly Finding[];
}

/**
 * Reads the GPT of a disk whose LBA 1 is at `sectorSize`. A damaged primary is replaced by the backup in the last
 * sector and warned about; when neither can be read the finding `gpt_corrupt` refuses.
 */
export async function readGpt(disk: DiskReader, sectorSize: number): Promise<GptResult> {
  const findings: Finding[] = [];
  const primary = await readGptTable(disk, 1, sectorSize);
  const backupLba = primary instanceof FormatError ? Math.floor(disk.size / sectorSize) - 1 : primary.alternateLba;
  const backup = await readGptTable(disk, backupLba, sectorSize);
  const table = primary instanceof FormatError ? backup : primary;
  if (table instanceof FormatError) {
    const why = primary instanceof FormatError ? primary.message : table.message;
    return { sectorSize, partitions: [], findings: [finding('gpt_corrupt', `no usable GPT: ${why}`)] };
  }
  if (primary instanceof FormatError) {
    findings.push(finding('gpt_primary_damaged', `backup GPT used: ${primary.message}`));
  } else if (backup instanceof FormatError) {
    findings.push(finding('gpt_backup_damaged', `backup GPT: ${backup.message}`));
  } else if (!sameBytes(primary.entries, backup.entries)) {
    findings.push(finding('gpt_backup_damaged', 'the backup GPT lists other partitions than the primary'));
  }
  return { sectorSize, ...partitionsOf(table, sectorSize, findings) };
}

function partitionsOf(table: GptTable, sectorSize: number, findings: Finding[]) {
  const partitions: Partition[] = [];
  for (let i = 0; i < table.entryCount; i++) {
    const entry = table.entries.subarray(i * table.entrySize, (i + 1) * table.entrySize);
    const type = guidText(entry, 0);
    if (type === UNUSED_GUID) continue;
    try {
      partitions.push(partitionOf(i + 1, type, entry, sectorSize, table));
    } catch (error) {
      findings.push(finding('gpt_corrupt', asFinding(error).message));
      // One wrong entry refuses the disk; thousands more would say nothing new.
      break;
    }
  }
  return { partitions, findings };
}

function partitionOf(index: number, type: string, entry: Uint8Array, sectorSize: number, table: GptTable): Partition {
  const data = view(entry);
  const first = exact(data.getBigUint64(32, true), `GPT entry ${index} first LBA`);
  const last = exact(data.getBigUint64(40, true), `GPT entry ${index} last LBA`);
  if (first > last || first < table.firstUsableLba || last > table.lastUsableLba) {
    const usable = `${table.firstUsableLba}..${table.lastUsableLba}`;
    throw new Corrupt(`GPT entry ${index}: LBA ${first}..${last} is not within the usable LBAs ${usable}`);
  }
  const name = utf16le(entry.subarray(56, 128)).replace(/\0.*$/su, '');
  return {
    index,
    start: exact(BigInt(first) * BigInt(sectorSize), `GPT entry ${index} start`),
    size: exact(BigInt(last - first + 1) * BigInt(sectorSize), `GPT entry ${index} size`),
    type,
    typeName: gptTypeName(type),
    bootable: (data.getUint8(48) & LEGACY_BOOT) !== 0,
    ...(name === '' ? {} : { name }),
  };
}
