/**
 * Master boot record: sector 0 and the chain of extended boot records. Parsing and the rules that keep a GPT or a boot
 * sector from passing as something else; what the findings mean is decided in findings.ts. Facts section 2.
 */
import { view } from '../bytes.ts';
import { type Finding, finding } from '../findings.ts';
import type { ByteSource } from '../source.ts';
import { EXTENDED, mbrTypeCode, mbrTypeName, PROTECTIVE } from './types.ts';

/** Random access to the bytes of a disk as its guest sees them. */
export type DiskReader = Pick<ByteSource, 'size' | 'read'>;

/** One partition; `start` and `size` are bytes. */
export interface Partition {
  /** From 1; logical partitions of an MBR from 5. */
  readonly index: number;
  readonly start: number;
  readonly size: number;
  /** `0x83`, or a GUID in upper case. */
  readonly type: string;
  readonly typeName: string;
  /** Active flag of an MBR entry, legacy BIOS bootable attribute of a GPT entry. */
  readonly bootable: boolean;
  /** Name of a GPT entry, absent when empty. */
  readonly name?: string;
}

/** One of the four entries of a boot record, as stored; `first` and `count` in sectors. */
export interface MbrEntry {
  readonly flag: number;
  readonly type: number;
  readonly chsStart: readonly [number, number, number];
  readonly first: number;
  readonly count: number;
}

/** MBR addresses are in sectors of 512 bytes on every disk that boots from one. */
const SECTOR = 512;
/** An EBR holds one logical partition; nobody has more of them, and a loop must end. */
const EBR_STEPS = 64;

/** The four entries of a boot record of at least 512 bytes, or undefined without the 55 AA signature. */
export function bootRecordEntries(sector: Uint8Array): MbrEntry[] | undefined {
  if (sector.length < SECTOR || sector[510] !== 0x55 || sector[511] !== 0xaa) return undefined;
  const data = view(sector);
  return [446, 462, 478, 494].map((at) => ({
    flag: data.getUint8(at),
    chsStart: [data.getUint8(at + 1), data.getUint8(at + 2), data.getUint8(at + 3)],
    type: data.getUint8(at + 4),
    first: data.getUint32(at + 8, true),
    count: data.getUint32(at + 12, true),
  }));
}

/** True for an entry that names a partition: a type and at least one sector. */
export function isUsed(entry: MbrEntry): boolean {
  return entry.type !== 0 && entry.count !== 0;
}

/**
 * What is wrong with the entries of sector 0. Rules as oslo.utils has them: boot flags are 0 or 0x80, and a protective
 * entry stands alone, starts at CHS 00 02 00 and at LBA 1.
 */
export function mbrFindings(entries: readonly MbrEntry[]): Finding[] {
  const found: Finding[] = [];
  for (const [i, entry] of entries.entries()) {
    if (entry.flag !== 0 && entry.flag !== 0x80) {
      found.push(
        finding('mbr_invalid', `MBR entry ${i + 1}: boot flag ${mbrTypeCode(entry.flag)} is not 0x00 or 0x80`),
      );
    }
  }
  const guard = entries.find((entry) => entry.type === PROTECTIVE);
  if (guard === undefined) return found;
  if (entries.filter((entry) => entry.type !== 0).length > 1) {
    found.push(finding('mbr_protective', 'MBR: the protective entry (0xee) of a GPT is not the only entry'));
  }
  if (guard.first !== 1) {
    found.push(finding('mbr_protective', `MBR: the protective entry starts at LBA ${guard.first}, not 1`));
  }
  const [head, sector, cylinder] = guard.chsStart;
  if (head !== 0 || sector !== 2 || cylinder !== 0) {
    found.push(finding('mbr_protective', `MBR: the protective entry starts at CHS ${guard.chsStart}, not 0,2,0`));
  }
  return found;
}

/** Primary and logical partitions of an MBR disk. @throws what `disk.read` throws; damage becomes findings. */
export async function mbrPartitions(
  disk: DiskReader,
  entries: readonly MbrEntry[],
): Promise<{ partitions: Partition[]; findings: Finding[] }> {
  const partitions: Partition[] = [];
  const findings: Finding[] = [];
  for (const [i, entry] of entries.entries()) {
    if (!isUsed(entry)) continue;
    partitions.push(partitionOf(i + 1, 0, entry));
    if (EXTENDED.has(entry.type)) await walkExtended(disk, entry, partitions, findings);
  }
  return { partitions, findings };
}

function partitionOf(index: number, base: number, entry: MbrEntry): Partition {
  return {
    index,
    start: (base + entry.first) * SECTOR,
    size: entry.count * SECTOR,
    type: mbrTypeCode(entry.type),
    typeName: mbrTypeName(entry.type),
    bootable: entry.flag === 0x80,
  };
}

/** Entry 0 of an EBR is relative to that EBR, entry 1 (the next EBR) to the extended partition. */
async function walkExtended(
  disk: DiskReader,
  extended: MbrEntry,
  partitions: Partition[],
  findings: Finding[],
): Promise<void> {
  let lba = extended.first;
  let index = Math.max(4, ...partitions.map((partition) => partition.index)) + 1;
  for (let step = 0; step < EBR_STEPS; step++) {
    if ((lba + 1) * SECTOR > disk.size) {
      findings.push(finding('partition_outside', `EBR at LBA ${lba} lies outside the disk of ${disk.size} bytes`));
      return;
    }
    const entries = bootRecordEntries(await disk.read(lba * SECTOR, SECTOR));
    const [logical, next] = entries ?? [];
    if (logical === undefined || next === undefined) {
      findings.push(finding('ebr_chain', `EBR at LBA ${lba} has no 55AA signature`));
      return;
    }
    if (isUsed(logical)) partitions.push(partitionOf(index++, lba, logical));
    if (!isUsed(next)) return;
    const following = extended.first + next.first;
    if (following <= lba) {
      findings.push(finding('ebr_chain', `EBR at LBA ${lba} points back to LBA ${following}`));
      return;
    }
    lba = following;
  }
  findings.push(finding('ebr_chain', `extended partition at LBA ${extended.first}: more than ${EBR_STEPS} EBRs`));
}
