/** ISO 9660 volume descriptors from sector 16 on, and the UDF recognition sequence beside them. Facts section 9. */
import { view } from '../engine/bytes.ts';
import { Corrupt, Truncated } from '../engine/errors.ts';
import { fieldText, hasText } from '../engine/match.ts';
import type { ByteSource } from '../engine/source.ts';

export const SECTOR = 2048;
/** The first 16 sectors are the system area, free for boot code. */
export const SYSTEM_AREA = 16 * SECTOR;
/** Real discs have 3 to 10; a chain without terminator must end. */
const MAX_DESCRIPTORS = 64;

/** What the descriptors say; sizes in bytes. */
export interface IsoVolume {
  readonly iso9660: boolean;
  readonly volumeId: string;
  readonly publisher: string;
  readonly application: string;
  /** Volume space size × block size. Absent without ISO 9660 descriptors. */
  readonly volumeSize?: number;
  readonly blockSize: number;
  /** First byte and length of the root folder. */
  readonly root?: { readonly offset: number; readonly length: number };
  readonly joliet: boolean;
  /** NSR02 (ECMA-167 2nd edition) or NSR03, when the disc is UDF or a bridge. */
  readonly udf?: 'NSR02' | 'NSR03';
  /** First byte of the El Torito catalogue. */
  readonly bootCatalog?: number;
}

type Draft = { -readonly [K in keyof IsoVolume]: IsoVolume[K] };

/** @throws Corrupt on fields that contradict each other or a chain that does not end, Truncated when it is cut off. */
export async function readVolume(source: ByteSource): Promise<IsoVolume> {
  const draft: Draft = {
    iso9660: false,
    volumeId: '',
    publisher: '',
    application: '',
    blockSize: SECTOR,
    joliet: false,
  };
  for (let i = 0; i < MAX_DESCRIPTORS; i++) {
    const offset = SYSTEM_AREA + i * SECTOR;
    if (offset + SECTOR > source.size) {
      if (draft.volumeSize === undefined && draft.udf === undefined) {
        throw new Truncated(`volume descriptor at ${offset}: the object ends at ${source.size}`);
      }
      return draft;
    }
    if (!addDescriptor(draft, await source.read(offset, SECTOR))) {
      if (draft.volumeSize === undefined && draft.udf === undefined) throw new Corrupt('ISO 9660: no primary volume');
      return draft;
    }
  }
  throw new Corrupt(`ISO 9660: no end within ${MAX_DESCRIPTORS} volume descriptors`);
}

/** False at the first sector that is no descriptor of either kind; a bridge has UDF's behind the ISO terminator. */
function addDescriptor(draft: Draft, sector: Uint8Array): boolean {
  const id = fieldText(sector, 1, 5);
  if (id === 'NSR02' || id === 'NSR03') draft.udf = id;
  if (id !== 'CD001') return ['BEA01', 'NSR02', 'NSR03', 'TEA01', 'BOOT2', 'CDW02'].includes(id);
  draft.iso9660 = true;
  if (sector[0] === 0) addBootRecord(draft, sector);
  else if (sector[0] === 1 && draft.volumeSize === undefined) addPrimary(draft, sector);
  else if (sector[0] === 2) draft.joliet ||= isJoliet(sector);
  return true;
}

function addBootRecord(draft: Draft, sector: Uint8Array): void {
  if (!hasText(sector, 7, 'EL TORITO SPECIFICATION') || draft.bootCatalog !== undefined) return;
  draft.bootCatalog = view(sector).getUint32(71, true) * SECTOR;
}

function addPrimary(draft: Draft, sector: Uint8Array): void {
  const data = view(sector);
  const blocks = bothOrders(data.getUint32(80, true), data.getUint32(84, false), 'volume space size');
  const blockSize = bothOrders(data.getUint16(128, true), data.getUint16(130, false), 'logical block size');
  if (blockSize < 512 || blockSize > SECTOR || (blockSize & (blockSize - 1)) !== 0) {
    throw new Corrupt(`ISO 9660: logical block size ${blockSize} is not 512, 1024 or 2048`);
  }
  draft.volumeId = fieldText(sector, 40, 32);
  draft.publisher = fieldText(sector, 318, 128).trim();
  draft.application = fieldText(sector, 574, 128).trim();
  draft.volumeSize = blocks * blockSize;
  draft.blockSize = blockSize;
  draft.root = { offset: data.getUint32(158, true) * blockSize, length: data.getUint32(166, true) };
}

/** Numbers are stored in both byte orders; readers differ in which they trust. */
function bothOrders(little: number, big: number, what: string): number {
  if (little !== big) throw new Corrupt(`ISO 9660: ${what} is ${little} in one byte order, ${big} in the other`);
  return little;
}

/** Escape sequences of UCS-2 levels 1 to 3. */
function isJoliet(sector: Uint8Array): boolean {
  return ['%/@', '%/C', '%/E'].some((level) => hasText(sector, 88, level));
}

/** Rock Ridge: the root folder's own record carries a SUSP "SP" entry, behind its name of one byte. */
export async function hasRockRidge(source: ByteSource, volume: IsoVolume): Promise<boolean> {
  const { root } = volume;
  if (root === undefined || root.offset + SECTOR > source.size) return false;
  const record = await source.read(root.offset, SECTOR);
  return (record[0] ?? 0) > 34 && hasText(record, 34, 'SP') && record[38] === 0xbe && record[39] === 0xef;
}
