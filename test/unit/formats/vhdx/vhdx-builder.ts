/** VHDX images made field by field, with checksums by a bitwise CRC-32C that shares nothing with the engine's. */
import type { Built } from '../disk-builders.ts';

export const MiB = 1024 * 1024;
export const VHDX_AT = { log: MiB, metadata: 2 * MiB, table: 3 * MiB, blocks: 4 * MiB } as const;

function crc(bytes: Buffer): number {
  let out = 0xffff_ffff;
  for (const byte of bytes) {
    out ^= byte;
    for (let bit = 0; bit < 8; bit++) out = (out >>> 1) ^ (out & 1 ? 0x82f6_3b78 : 0);
  }
  return ~out >>> 0;
}

/** Sets the checksum at offset 4 right. */
export function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(0, 4);
  bytes.writeUInt32LE(crc(bytes), 4);
  return bytes;
}

export function guid(text: string): Buffer {
  const hex = text.replaceAll('-', '');
  const bytes = Buffer.from(hex, 'hex');
  return Buffer.concat(
    [
      bytes.subarray(0, 4).toReversed(),
      bytes.subarray(4, 6).toReversed(),
      bytes.subarray(6, 8).toReversed(),
      bytes.subarray(8),
    ].map((part) => Buffer.from(part)),
  );
}

export const LOG_GUID = '11111111-2222-3333-4444-555566667777';
const ITEM = {
  parameters: 'CAA16737-FA36-4D43-B3B6-33F0AA44E76B',
  size: '2FA54224-CD1B-4876-B211-5DBED83BF4B8',
  logical: '8141BF1D-A96F-4709-BA47-F233A8FAAB5F',
  physical: 'CDA348C7-445D-4471-9CC9-E9885251C556',
  page83: 'BECA12AB-B2E6-4523-93EF-C309E000C746',
} as const;

export interface VhdxOptions {
  readonly sector?: number;
  readonly size?: number;
  readonly flags?: number;
  /** A log entry, from `logEntry`. */
  readonly log?: Buffer;
  /** State of table entries that are not data. */
  readonly states?: Readonly<Record<number, number>>;
  /** Further items: GUID, flags. */
  readonly items?: readonly (readonly [string, number])[];
  /** Further regions: GUID, offset, required. */
  readonly regions?: readonly (readonly [string, number, number])[];
}

function header(sequence: bigint, log: boolean): Buffer {
  const out = Buffer.alloc(4096);
  out.write('head', 0, 'latin1');
  out.writeBigUInt64LE(sequence, 8);
  if (log) guid(LOG_GUID).copy(out, 48);
  out.writeUInt16LE(1, 66);
  out.writeUInt32LE(MiB, 68);
  out.writeBigUInt64LE(BigInt(VHDX_AT.log), 72);
  return sealed(out);
}

function regionTable(extra: VhdxOptions['regions'] = []): Buffer {
  const out = Buffer.alloc(64 * 1024);
  out.write('regi', 0, 'latin1');
  const rows = [
    ['2DC27766-F623-4200-9D64-115E9BFD4A08', VHDX_AT.table, 1],
    ['8B7CA206-4790-4B9A-B8FE-575F050F886E', VHDX_AT.metadata, 1],
    ...extra,
  ] as const;
  out.writeUInt32LE(rows.length, 8);
  for (const [i, [id, offset, required]] of rows.entries()) {
    const at = 16 + i * 32;
    guid(id).copy(out, at);
    out.writeBigUInt64LE(BigInt(offset), at + 16);
    out.writeUInt32LE(MiB, at + 24);
    out.writeUInt32LE(required, at + 28);
  }
  return sealed(out);
}

function metadata(size: number, sector: number, flags: number, extra: VhdxOptions['items'] = []): Buffer {
  const out = Buffer.alloc(128 * 1024);
  const u32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const bytes64 = Buffer.alloc(8);
  bytes64.writeBigUInt64LE(BigInt(size));
  const rows: readonly (readonly [string, Buffer, number])[] = [
    [ITEM.parameters, Buffer.concat([u32(MiB), u32(flags)]), 4],
    [ITEM.size, bytes64, 6],
    [ITEM.logical, u32(sector), 6],
    [ITEM.physical, u32(4096), 6],
    [ITEM.page83, Buffer.alloc(16, 7), 6],
    ...extra.map(([id, itemFlags]) => [id, Buffer.alloc(8), itemFlags] as const),
  ];
  out.write('metadata', 0, 'latin1');
  out.writeUInt16LE(rows.length, 10);
  let offset = 64 * 1024;
  for (const [i, [id, bytes, itemFlags]] of rows.entries()) {
    const at = 32 + i * 32;
    guid(id).copy(out, at);
    out.writeUInt32LE(offset, at + 16);
    out.writeUInt32LE(bytes.length, at + 20);
    out.writeUInt32LE(itemFlags, at + 24);
    bytes.copy(out, offset);
    offset += bytes.length;
  }
  return out;
}

/** A dynamic disk of 1 MiB blocks, stored in order from 4 MiB on. */
export function vhdxImage(blocks: readonly (Buffer | undefined)[], options: VhdxOptions = {}): Built {
  const size = options.size ?? blocks.length * MiB;
  const stored = blocks.filter((bytes) => bytes !== undefined);
  const head = Buffer.alloc(VHDX_AT.blocks);
  head.write('vhdxfile', 0, 'latin1');
  head.write('tests', 8, 'utf16le');
  header(4n, false).copy(head, 64 * 1024);
  header(5n, options.log !== undefined).copy(head, 128 * 1024);
  regionTable(options.regions).copy(head, 192 * 1024);
  regionTable(options.regions).copy(head, 256 * 1024);
  options.log?.copy(head, VHDX_AT.log);
  metadata(size, options.sector ?? 512, options.flags ?? 0, options.items).copy(head, VHDX_AT.metadata);
  let next = 0;
  for (const [i, bytes] of blocks.entries()) {
    const entry = bytes === undefined ? (options.states?.[i] ?? 0) : VHDX_AT.blocks + MiB * next++ + 6;
    head.writeBigUInt64LE(BigInt(entry), VHDX_AT.table + i * 8);
  }
  const raw = Buffer.alloc(blocks.length * MiB);
  for (const [i, bytes] of blocks.entries()) bytes?.copy(raw, i * MiB);
  return { file: Buffer.concat([head, ...stored]), raw: raw.subarray(0, size) };
}

/** A write that stands in the log: 4096 bytes, or a length of zeros. */
export type LogWrite =
  | { readonly offset: number; readonly page: Buffer }
  | { readonly offset: number; readonly zeros: number };

export function logEntry(sequence: number, tail: number, writes: readonly LogWrite[], flushed = 0): Buffer {
  const pages = writes.flatMap((write) => ('page' in write ? [write.page] : []));
  const out = Buffer.alloc(4096 * (1 + pages.length));
  out.write('loge', 0, 'latin1');
  out.writeUInt32LE(out.length, 8);
  out.writeUInt32LE(tail, 12);
  out.writeBigUInt64LE(BigInt(sequence), 16);
  out.writeUInt32LE(writes.length, 24);
  guid(LOG_GUID).copy(out, 32);
  out.writeBigUInt64LE(BigInt(flushed), 48);
  let data = 4096;
  for (const [i, write] of writes.entries()) {
    const at = 64 + i * 32;
    out.writeBigUInt64LE(BigInt(write.offset), at + 16);
    out.writeBigUInt64LE(BigInt(sequence), at + 24);
    if ('page' in write) {
      out.write('desc', at, 'latin1');
      write.page.copy(out, at + 4, 4092);
      write.page.copy(out, at + 8, 0, 8);
      out.write('data', data, 'latin1');
      write.page.copy(out, data + 8, 8, 4092);
      out.writeUInt32LE(sequence, data + 4092);
      data += 4096;
    } else {
      out.write('zero', at, 'latin1');
      out.writeBigUInt64LE(BigInt(write.zeros), at + 8);
    }
  }
  return sealed(out);
}

/** Sets the checksums of headers, region tables and the first log entry right. */
export function resealVhdx(file: Buffer): void {
  const entry = Math.min(file.readUInt32LE(VHDX_AT.log + 8), 64 * 1024);
  const ranges = [
    [64 * 1024, 4096],
    [128 * 1024, 4096],
    [192 * 1024, 64 * 1024],
    [256 * 1024, 64 * 1024],
    [VHDX_AT.log, entry],
  ] as const;
  for (const [at, length] of ranges) if (length > 8) sealed(file.subarray(at, at + length));
}
