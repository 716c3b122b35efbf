import { decode, encode, exact, view } from '../engine/bytes.ts';
import { Corrupt } from '../engine/errors.ts';
import { hasText } from '../engine/match.ts';
import type { ByteSource } from '../engine/source.ts';
import { assertWithin } from '../engine/source.ts';
import { latin1Bytes } from '../engine/text.ts';
import { crc32c } from './crc32c.ts';
import { guidAt, putGuid } from './guid.ts';
import { MiB } from './header.ts';

export const TABLES_AT = [192 * 1024, 256 * 1024] as const;
const TABLE_BYTES = 64 * 1024;
const ENTRIES_AT = 16;
const ENTRY_BYTES = 32;
const MAX_ENTRIES = 2047;

/** Region table header and entry, little endian ([MS-VHDX] 2.2.3). */
const TABLE = { checksum: [4, 'u32'], entryCount: [8, 'u32'] } as const;
const ENTRY = { fileOffset: [16, 'u64'], length: [24, 'u32'], required: [28, 'u32'] } as const;

const GUIDS = {
  table: '2DC27766-F623-4200-9D64-115E9BFD4A08',
  metadata: '8B7CA206-4790-4B9A-B8FE-575F050F886E',
} as const;
const NAMES: Readonly<Record<string, keyof typeof GUIDS>> = {
  [GUIDS.table]: 'table',
  [GUIDS.metadata]: 'metadata',
};

/** A range of the file in bytes. */
export interface Region {
  readonly what: string;
  readonly start: number;
  readonly end: number;
}

export interface Regions {
  /** Block allocation table. */
  readonly table: Region;
  readonly metadata: Region;
  /** GUIDs of regions that must be understood and are not. */
  readonly unknownRequired: readonly string[];
}

/** The regions of the first valid region table. @throws Corrupt, Truncated */
export async function readRegions(source: ByteSource): Promise<Regions> {
  for (const at of TABLES_AT) {
    const bytes = await source.read(at, TABLE_BYTES);
    const signed = hasText(bytes, 0, 'regi');
    if (signed && crc32c(bytes, TABLE.checksum[0]) === decode(TABLE, bytes, 'LE').checksum) return parse(bytes, source);
  }
  throw new Corrupt('VHDX: neither region table has a valid signature and checksum');
}

function parse(bytes: Uint8Array, source: ByteSource): Regions {
  const count = view(bytes).getUint32(TABLE.entryCount[0], true);
  if (count > MAX_ENTRIES) throw new Corrupt(`VHDX region table: ${count} entries, at most ${MAX_ENTRIES} are legal`);
  const found = new Map<string, Region>();
  const unknownRequired: string[] = [];
  for (let i = 0; i < count; i++) {
    const at = ENTRIES_AT + i * ENTRY_BYTES;
    const guid = guidAt(bytes, at);
    const raw = decode(ENTRY, bytes, 'LE', at);
    const name = NAMES[guid];
    if (name === undefined && (raw.required & 1) !== 0) unknownRequired.push(guid);
    if (found.has(guid)) throw new Corrupt(`VHDX region table: region ${guid} is listed twice`);
    const start = exact(raw.fileOffset, 'VHDX region offset');
    const region = { what: `${name ?? guid} region`, start, end: start + raw.length };
    assertAligned(region);
    assertWithin(source, start, raw.length, `VHDX ${region.what}`);
    found.set(guid, region);
  }
  const named = (name: 'table' | 'metadata'): Region => {
    for (const [guid, region] of found) if (NAMES[guid] === name) return region;
    throw new Corrupt(`VHDX region table: there is no ${name} region`);
  };
  const regions = [...found.values()];
  assertDisjoint(regions);
  return { table: named('table'), metadata: named('metadata'), unknownRequired };
}

/** Everything behind the headers stands on whole mebibytes. @throws Corrupt */
export function assertAligned({ what, start, end }: Region): void {
  if (start < MiB || start % MiB !== 0 || end % MiB !== 0 || end === start) {
    throw new Corrupt(`VHDX ${what}: ${start}..${end} is not a range of whole MiB behind the first`);
  }
}

/** @throws Corrupt when two regions share a byte */
export function assertDisjoint(regions: readonly Region[]): void {
  const sorted = regions.toSorted((a, b) => a.start - b.start);
  for (const [i, region] of sorted.entries()) {
    const next = sorted[i + 1];
    if (next !== undefined && next.start < region.end) {
      throw new Corrupt(`VHDX ${next.what} at ${next.start} lies over the ${region.what}, which ends at ${region.end}`);
    }
  }
}

/** A region table of the two regions that every disk has. */
export function encodeRegions(regions: Pick<Regions, 'table' | 'metadata'>): Uint8Array {
  const bytes = new Uint8Array(TABLE_BYTES);
  bytes.set(latin1Bytes('regi'));
  for (const [i, name] of (['table', 'metadata'] as const).entries()) {
    const at = ENTRIES_AT + i * ENTRY_BYTES;
    const { start, end } = regions[name];
    putGuid(bytes, at, GUIDS[name]);
    encode(ENTRY, { fileOffset: BigInt(start), length: end - start, required: 1 }, bytes, 'LE', at);
  }
  encode(TABLE, { checksum: 0, entryCount: 2 }, bytes, 'LE');
  view(bytes).setUint32(TABLE.checksum[0], crc32c(bytes, TABLE.checksum[0]), true);
  return bytes;
}
