import { decode, encode, exact, view } from '../engine/bytes.ts';
import { Corrupt, Unsupported } from '../engine/errors.ts';
import { latin1, latin1Bytes } from '../engine/text.ts';
import { checksum, VERSION } from './footer.ts';

export const DYNAMIC_HEADER_BYTES = 1024;
const COOKIE = 'cxsparse';

/** Dynamic disk header, big endian (VHD specification 1.0, "Dynamic Disk Header Format"). */
const DYNAMIC_HEADER = {
  dataOffset: [8, 'u64'],
  tableOffset: [16, 'u64'],
  headerVersion: [24, 'u32'],
  maxTableEntries: [28, 'u32'],
  blockSize: [32, 'u32'],
  checksum: [36, 'u32'],
} as const;

/** Writers use 2 MiB, some 512 KiB; beyond these bounds a table or a bitmap gets out of proportion. */
const MIN_BLOCK = 256 * 1024;
const MAX_BLOCK = 256 * 1024 * 1024;

export interface DynamicHeader {
  /** File offset of the block allocation table in bytes. */
  readonly tableOffset: number;
  readonly maxTableEntries: number;
  /** Guest bytes per block. */
  readonly blockSize: number;
  readonly checksumValid: boolean;
}

/** @throws Corrupt, Unsupported */
export function parseDynamicHeader(bytes: Uint8Array): DynamicHeader {
  const cookie = latin1(bytes.subarray(0, 8));
  if (cookie !== COOKIE) throw new Corrupt(`VHD dynamic header: cookie ${JSON.stringify(cookie)} is not "${COOKIE}"`);
  const raw = decode(DYNAMIC_HEADER, bytes, 'BE');
  if (raw.headerVersion !== VERSION) {
    throw new Unsupported(`VHD dynamic header: version 0x${raw.headerVersion.toString(16)} is not 0x10000`);
  }
  const power = (raw.blockSize & (raw.blockSize - 1)) === 0;
  if (!power || raw.blockSize < MIN_BLOCK || raw.blockSize > MAX_BLOCK) {
    throw new Corrupt(`VHD block size: ${raw.blockSize} is not a power of two within ${MIN_BLOCK}..${MAX_BLOCK}`);
  }
  return {
    tableOffset: exact(raw.tableOffset, 'VHD table offset'),
    maxTableEntries: raw.maxTableEntries,
    blockSize: raw.blockSize,
    checksumValid: checksum(bytes, DYNAMIC_HEADER.checksum[0]) === raw.checksum,
  };
}

/** All ones: nothing follows. */
export const NO_OFFSET = 2n ** 64n - 1n;

/** The header of a disk without a parent. */
export function encodeDynamicHeader(header: Omit<DynamicHeader, 'checksumValid'>): Uint8Array {
  const bytes = new Uint8Array(DYNAMIC_HEADER_BYTES);
  const { tableOffset, maxTableEntries, blockSize } = header;
  const fields = { dataOffset: NO_OFFSET, tableOffset: BigInt(tableOffset), headerVersion: VERSION };
  bytes.set(latin1Bytes(COOKIE));
  encode(DYNAMIC_HEADER, { ...fields, maxTableEntries, blockSize, checksum: 0 }, bytes, 'BE');
  view(bytes).setUint32(DYNAMIC_HEADER.checksum[0], checksum(bytes, DYNAMIC_HEADER.checksum[0]));
  return bytes;
}
