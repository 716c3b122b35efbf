import { decode, encode, exact, view } from '../engine/bytes.ts';
import { hasText } from '../engine/match.ts';
import { hexBytes, latin1, latin1Bytes } from '../engine/text.ts';

export const SECTOR = 512;
export const FOOTER_BYTES = 512;
export const VERSION = 0x0001_0000;
/** The format's own limit: the largest table that any reader takes. */
export const MAX_BYTES = 2040 * 2 ** 30;
const COOKIE = 'conectix';
const CREATOR_AT = 28;
const IDENTITY_AT = 68;

/** Hard disk footer, big endian (Virtual Hard Disk Image Format Specification 1.0, "Hard Disk Footer Format"). */
const FOOTER = {
  features: [8, 'u32'],
  fileFormatVersion: [12, 'u32'],
  dataOffset: [16, 'u64'],
  timeStamp: [24, 'u32'],
  creatorVersion: [32, 'u32'],
  originalSize: [40, 'u64'],
  currentSize: [48, 'u64'],
  cylinders: [56, 'u16'],
  heads: [58, 'u8'],
  sectorsPerTrack: [59, 'u8'],
  diskType: [60, 'u32'],
  checksum: [64, 'u32'],
  savedState: [84, 'u8'],
} as const;

/** Names of the disk types that the specification gives a meaning. */
export const DISK_TYPES: Readonly<Record<number, 'fixed' | 'dynamic' | 'differencing'>> = {
  2: 'fixed',
  3: 'dynamic',
  4: 'differencing',
};

export interface Footer {
  readonly version: number;
  readonly diskType: number;
  /** File offset of the dynamic header in bytes; all ones in a fixed disk. */
  readonly dataOffset: bigint;
  /** Bytes. */
  readonly currentSize: number;
  readonly cylinders: number;
  readonly heads: number;
  readonly sectorsPerTrack: number;
  /** Four characters, blanks and NULs kept. */
  readonly creator: string;
  readonly savedState: boolean;
  readonly checksumValid: boolean;
}

/** True when a footer (or its copy) begins at `at`. */
export function hasCookie(bytes: Uint8Array, at: number): boolean {
  return hasText(bytes, at, COOKIE);
}

/**
 * Reads a footer; 511 bytes are enough (very old writers left out the last one, which is reserved and zero).
 * @throws Corrupt when the size is not below 2^53
 */
export function parseFooter(bytes: Uint8Array): Footer {
  const raw = decode(FOOTER, bytes, 'BE');
  return {
    version: raw.fileFormatVersion,
    diskType: raw.diskType,
    dataOffset: raw.dataOffset,
    currentSize: exact(raw.currentSize, 'VHD current size'),
    cylinders: raw.cylinders,
    heads: raw.heads,
    sectorsPerTrack: raw.sectorsPerTrack,
    creator: latin1(bytes.subarray(CREATOR_AT, CREATOR_AT + 4)),
    savedState: raw.savedState !== 0,
    checksumValid: checksum(bytes, FOOTER.checksum[0]) === raw.checksum,
  };
}

/** Ones' complement of the sum of all bytes, the checksum's own four left out. Both VHD structures use it. */
export function checksum(bytes: Uint8Array, field: number): number {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  const own = view(bytes);
  for (let i = field; i < field + 4; i++) sum -= own.getUint8(i);
  return ~sum >>> 0;
}

/** Creators that mean the geometry; all others, known or not, mean `currentSize` (qemu's rule since 10.0, facts section 5). */
const GEOMETRY_CREATORS: ReadonlySet<string> = new Set(['vpc ', 'qemu']);
/** Geometry that only says "too large for a geometry". */
const MAX_GEOMETRY_SECTORS = 65535 * 16 * 255;

/** Bytes the guest sees: the current size, or for creators that think in geometry cylinders x heads x sectors. */
export function virtualSizeOf(footer: Footer): number {
  const sectors = footer.cylinders * footer.heads * footer.sectorsPerTrack;
  const byGeometry = GEOMETRY_CREATORS.has(footer.creator) && sectors !== MAX_GEOMETRY_SECTORS;
  return byGeometry ? sectors * SECTOR : footer.currentSize;
}

/** What a new footer says of its disk; sizes in bytes, `currentSize` a multiple of 512. */
export interface NewFooter {
  readonly diskType: 2 | 3;
  /** All ones in a fixed disk. */
  readonly dataOffset: bigint;
  readonly currentSize: number;
  /** UUID as text. */
  readonly uniqueId: string;
}

/** "Reserved" (bit 1): a bit that is always set. */
const FEATURES = 2;
/**
 * The name under which qemu writes disks whose current size counts, which Azure's instructions ask for too: every reader, old or new,
 * takes the current size from it. A name of our own would mean the geometry to qemu until 9.2, which does not reach the end of most disks.
 */
const CREATOR = { app: 'qem2', version: 0x0005_0003, host: 'Wi2k' } as const;

/** A footer whose bytes follow from what it says: its time is the format's zero, the year 2000. */
export function encodeFooter({ diskType, dataOffset, currentSize, uniqueId }: NewFooter): Uint8Array {
  const bytes = new Uint8Array(FOOTER_BYTES);
  const size = BigInt(currentSize);
  const fields = {
    features: FEATURES,
    fileFormatVersion: VERSION,
    dataOffset,
    timeStamp: 0,
    creatorVersion: CREATOR.version,
    originalSize: size,
    currentSize: size,
    ...geometryOf(currentSize / SECTOR),
    diskType,
    checksum: 0,
    savedState: 0,
  };
  bytes.set(latin1Bytes(COOKIE));
  bytes.set(latin1Bytes(CREATOR.app), CREATOR_AT);
  bytes.set(latin1Bytes(CREATOR.host), CREATOR_AT + 8);
  bytes.set(hexBytes(uniqueId.replaceAll('-', '')), IDENTITY_AT);
  encode(FOOTER, fields, bytes, 'BE');
  view(bytes).setUint32(FOOTER.checksum[0], checksum(bytes, FOOTER.checksum[0]));
  return bytes;
}

/** Cylinders, heads and sectors of a disk of so many sectors, at most as many ("CHS Calculation" in the specification). */
export function geometryOf(sectors: number): Pick<Footer, 'cylinders' | 'heads' | 'sectorsPerTrack'> {
  const total = Math.min(sectors, MAX_GEOMETRY_SECTORS);
  const { heads, sectorsPerTrack } = shapeOf(total);
  return { cylinders: Math.floor(total / sectorsPerTrack / heads), heads, sectorsPerTrack };
}

function shapeOf(total: number): Pick<Footer, 'heads' | 'sectorsPerTrack'> {
  if (total >= 65535 * 16 * 63) return { heads: 16, sectorsPerTrack: 255 };
  const tracks = Math.floor(total / 17);
  const heads = Math.max(4, Math.ceil(tracks / 1024));
  if (tracks < heads * 1024 && heads <= 16) return { heads, sectorsPerTrack: 17 };
  return { heads: 16, sectorsPerTrack: Math.floor(total / 31) < 16 * 1024 ? 31 : 63 };
}
