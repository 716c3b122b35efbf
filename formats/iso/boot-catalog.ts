/** El Torito boot catalogue: which firmware a disc can start. El Torito 1.0 section 2, facts section 9. */
import { view } from '../engine/bytes.ts';
import { Corrupt } from '../engine/errors.ts';
import type { ByteSource } from '../engine/source.ts';
import { SECTOR } from './volume.ts';

type BootPlatform = 'x86' | 'ppc' | 'mac' | 'efi' | 'other';

/** A bootable entry; `offset` is the first byte of its image. */
export interface BootEntry {
  readonly platform: BootPlatform;
  readonly offset: number;
}

const PLATFORMS: Readonly<Record<number, BootPlatform>> = { 0: 'x86', 1: 'ppc', 2: 'mac', 239: 'efi' };
const ENTRY = 32;
const BOOTABLE = 0x88;
const MORE_HEADERS = 0x90;
const LAST_HEADER = 0x91;

/** Reads the catalogue sector at `offset`. @throws Corrupt when its validation entry is wrong or it lies outside */
export async function readBootCatalog(source: ByteSource, offset: number): Promise<BootEntry[]> {
  if (offset + SECTOR > source.size)
    throw new Corrupt(`boot catalogue at ${offset} lies outside the disc of ${source.size}`);
  const catalog = await source.read(offset, SECTOR);
  requireValidation(catalog);
  const entries: BootEntry[] = [];
  collect(entries, catalog, ENTRY, platformOf(catalog[1]));
  walkSections(entries, catalog);
  return entries;
}

/** The 16-bit words of the validation entry sum to zero, and it ends in 55 AA. */
function requireValidation(catalog: Uint8Array): void {
  const data = view(catalog);
  let sum = 0;
  for (let at = 0; at < ENTRY; at += 2) sum = (sum + data.getUint16(at, true)) & 0xffff;
  if (catalog[0] !== 1 || sum !== 0 || catalog[30] !== 0x55 || catalog[31] !== 0xaa) {
    throw new Corrupt(`boot catalogue: validation entry is wrong (header ${catalog[0]}, checksum ${sum})`);
  }
}

/** Section headers, each with a count of entries; everything lies within one sector, which bounds the walk. */
function walkSections(entries: BootEntry[], catalog: Uint8Array): void {
  let at = 2 * ENTRY;
  while (at + ENTRY <= catalog.length) {
    const id = catalog[at];
    if (id !== MORE_HEADERS && id !== LAST_HEADER) return;
    const platform = platformOf(catalog[at + 1]);
    const count = view(catalog).getUint16(at + 2, true);
    at += ENTRY;
    for (let i = 0; i < count && at + ENTRY <= catalog.length; i++, at += ENTRY)
      collect(entries, catalog, at, platform);
    if (id === LAST_HEADER) return;
  }
}

function collect(entries: BootEntry[], catalog: Uint8Array, at: number, platform: BootPlatform): void {
  if (catalog[at] !== BOOTABLE) return;
  entries.push({ platform, offset: view(catalog).getUint32(at + 8, true) * SECTOR });
}

function platformOf(id: number | undefined): BootPlatform {
  return PLATFORMS[id ?? -1] ?? 'other';
}
