import { decode, encode, exact, view } from '../engine/bytes.ts';
import { Corrupt } from '../engine/errors.ts';
import { hasText } from '../engine/match.ts';
import type { ByteSource } from '../engine/source.ts';
import { latin1Bytes } from '../engine/text.ts';
import { guidAt, putGuid } from './guid.ts';
import { MiB } from './header.ts';
import type { Region } from './regions.ts';

const TABLE_BYTES = 64 * 1024;
const ENTRIES_AT = 32;
const ENTRY_BYTES = 32;
const MAX_ENTRIES = 2047;

/** Metadata table header and entry, little endian ([MS-VHDX] 2.6.1). */
const TABLE = { entryCount: [10, 'u16'] } as const;
const ENTRY = { offset: [16, 'u32'], length: [20, 'u32'], flags: [24, 'u32'] } as const;
const FLAG_VIRTUAL_DISK = 2;
const FLAG_REQUIRED = 4;

/** The items of the specification: GUID, length in bytes (0: any). */
const ITEMS = {
  fileParameters: ['CAA16737-FA36-4D43-B3B6-33F0AA44E76B', 8],
  virtualDiskSize: ['2FA54224-CD1B-4876-B211-5DBED83BF4B8', 8],
  logicalSectorSize: ['8141BF1D-A96F-4709-BA47-F233A8FAAB5F', 4],
  physicalSectorSize: ['CDA348C7-445D-4471-9CC9-E9885251C556', 4],
  page83Data: ['BECA12AB-B2E6-4523-93EF-C309E000C746', 16],
  parentLocator: ['A8D35F2D-B30B-454D-ABF7-D3D84834AB0C', 0],
} as const;
type ItemName = keyof typeof ITEMS;
const NAME_OF: ReadonlyMap<string, ItemName> = new Map(
  (Object.keys(ITEMS) as ItemName[]).map((name) => [ITEMS[name][0], name]),
);

export const MAX_VIRTUAL_SIZE = 64 * 2 ** 40;
const SECTOR_SIZES: ReadonlySet<number> = new Set([512, 4096]);

export interface VhdxMetadata {
  /** Bytes. */
  readonly virtualSize: number;
  readonly blockSize: number;
  readonly logicalSectorSize: number;
  readonly physicalSectorSize: number;
  /** Blocks stay allocated: a "fixed" disk. */
  readonly fixed: boolean;
  readonly hasParent: boolean;
  /** GUIDs of items that must be understood and are not. */
  readonly unknownRequired: readonly string[];
}

/** @throws Corrupt, Truncated */
export async function readMetadata(source: ByteSource, region: Region): Promise<VhdxMetadata> {
  const table = await source.read(region.start, TABLE_BYTES);
  if (!hasText(table, 0, 'metadata')) {
    throw new Corrupt(`VHDX metadata table at ${region.start}: no signature`);
  }
  const { items, unknownRequired } = listItems(table, region);
  const item = async (name: Exclude<ItemName, 'parentLocator'>): Promise<DataView> => {
    const place = items.get(name);
    if (place === undefined) throw new Corrupt(`VHDX metadata: the item ${name} is missing`);
    return view(await source.read(region.start + place.offset, ITEMS[name][1]));
  };
  const parameters = await item('fileParameters');
  await item('page83Data');
  const flags = parameters.getUint32(4, true);
  const metadata = {
    virtualSize: exact((await item('virtualDiskSize')).getBigUint64(0, true), 'VHDX virtual size'),
    blockSize: parameters.getUint32(0, true),
    logicalSectorSize: (await item('logicalSectorSize')).getUint32(0, true),
    physicalSectorSize: (await item('physicalSectorSize')).getUint32(0, true),
    fixed: (flags & 1) !== 0,
    hasParent: (flags & 2) !== 0 || items.has('parentLocator'),
    unknownRequired,
  };
  check(metadata);
  return metadata;
}

interface Items {
  readonly items: ReadonlyMap<ItemName, { readonly offset: number }>;
  readonly unknownRequired: readonly string[];
}

function listItems(table: Uint8Array, region: Region): Items {
  const { entryCount } = decode(TABLE, table, 'LE');
  if (entryCount > MAX_ENTRIES) throw new Corrupt(`VHDX metadata table: ${entryCount} entries, at most ${MAX_ENTRIES}`);
  const items = new Map<ItemName, { offset: number }>();
  const unknownRequired: string[] = [];
  for (let i = 0; i < entryCount; i++) {
    const at = ENTRIES_AT + i * ENTRY_BYTES;
    const guid = guidAt(table, at);
    const { offset, length, flags } = decode(ENTRY, table, 'LE', at);
    const name = NAME_OF.get(guid);
    if (name === undefined) {
      if ((flags & FLAG_REQUIRED) !== 0) unknownRequired.push(guid);
      continue;
    }
    if (items.has(name)) throw new Corrupt(`VHDX metadata: the item ${name} is listed twice`);
    const expected = ITEMS[name][1];
    if (expected !== 0 && length !== expected) {
      throw new Corrupt(`VHDX metadata: the item ${name} has ${length} bytes, not ${expected}`);
    }
    if (offset < TABLE_BYTES || offset + length > region.end - region.start) {
      throw new Corrupt(`VHDX metadata: the item ${name} at ${offset} lies outside its region`);
    }
    items.set(name, { offset });
  }
  return { items, unknownRequired };
}

function check({ virtualSize, blockSize, logicalSectorSize, physicalSectorSize }: VhdxMetadata): void {
  if (!SECTOR_SIZES.has(logicalSectorSize))
    throw new Corrupt(`VHDX sector size: ${logicalSectorSize} is not 512 or 4096`);
  if (!SECTOR_SIZES.has(physicalSectorSize)) {
    throw new Corrupt(`VHDX physical sector size: ${physicalSectorSize} is not 512 or 4096`);
  }
  if ((blockSize & (blockSize - 1)) !== 0 || blockSize < MiB || blockSize > 256 * MiB) {
    throw new Corrupt(`VHDX block size: ${blockSize} is not a power of two within 1..256 MiB`);
  }
  if (virtualSize === 0 || virtualSize % logicalSectorSize !== 0 || virtualSize > MAX_VIRTUAL_SIZE) {
    throw new Corrupt(
      `VHDX virtual size: ${virtualSize} is not a positive multiple of ${logicalSectorSize} up to 64 TiB`,
    );
  }
}

/** What a new disk without a parent says of itself. */
export type NewMetadata = Pick<
  VhdxMetadata,
  'virtualSize' | 'blockSize' | 'logicalSectorSize' | 'physicalSectorSize'
> & {
  /** What SCSI calls the identity of the disk (page 83) as a GUID. */
  readonly diskId: string;
};

/** The metadata table and its items, from the beginning of their region on. */
export function encodeMetadata(metadata: NewMetadata): Uint8Array {
  const items: Readonly<Record<Exclude<ItemName, 'parentLocator'>, (item: Uint8Array) => void>> = {
    fileParameters: (item) => view(item).setUint32(0, metadata.blockSize, true),
    virtualDiskSize: (item) => view(item).setBigUint64(0, BigInt(metadata.virtualSize), true),
    page83Data: (item) => putGuid(item, 0, metadata.diskId),
    logicalSectorSize: (item) => view(item).setUint32(0, metadata.logicalSectorSize, true),
    physicalSectorSize: (item) => view(item).setUint32(0, metadata.physicalSectorSize, true),
  };
  const names = Object.keys(items) as (keyof typeof items)[];
  const lengths = names.map((name) => ITEMS[name][1]);
  const bytes = new Uint8Array(TABLE_BYTES + lengths.reduce<number>((sum, length) => sum + length, 0));
  bytes.set(latin1Bytes('metadata'));
  encode(TABLE, { entryCount: names.length }, bytes, 'LE');
  let offset = TABLE_BYTES;
  for (const [i, name] of names.entries()) {
    const [guid, length] = ITEMS[name];
    const at = ENTRIES_AT + i * ENTRY_BYTES;
    // The parameters are of the file, all others of the disk in it ([MS-VHDX] 2.6.2).
    const flags = FLAG_REQUIRED | (name === 'fileParameters' ? 0 : FLAG_VIRTUAL_DISK);
    putGuid(bytes, at, guid);
    encode(ENTRY, { offset, length, flags }, bytes, 'LE', at);
    items[name](bytes.subarray(offset, offset + length));
    offset += length;
  }
  return bytes;
}
