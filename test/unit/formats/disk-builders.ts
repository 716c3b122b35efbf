/**
 * Small disk images made field by field from the facts, independent of the engine's layouts, so that tests can bend any
 * of them. Every builder gives the file and the raw bytes it stands for.
 */
import { deflateSync } from 'node:zlib';

export interface Built {
  readonly file: Buffer;
  readonly raw: Buffer;
}

/** A block of recognisable bytes that differ from block to block; deflates well. */
export function block(seed: number, length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, i) => (seed * 31 + (i >> 4) + (i % 7)) & 0xff));
}

/** The raw expansion of `blocks`: undefined is a hole. */
function expand(blocks: readonly (Buffer | undefined)[], blockSize: number, virtualSize: number): Buffer {
  const raw = Buffer.alloc(blocks.length * blockSize);
  for (const [i, bytes] of blocks.entries()) bytes?.copy(raw, i * blockSize);
  return raw.subarray(0, virtualSize);
}

function pad(bytes: Buffer, unit: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((unit - (bytes.length % unit)) % unit)]);
}

// ---- VHD ----

function vhdChecksum(bytes: Buffer, field: number): void {
  bytes.writeUInt32BE(0, field);
  bytes.writeUInt32BE(~bytes.reduce((sum, byte) => sum + byte, 0) >>> 0, field);
}

export interface VhdOptions {
  readonly type?: number;
  readonly creator?: string;
  readonly size?: number;
  readonly geometry?: readonly [cylinders: number, heads: number, sectors: number];
  readonly dataOffset?: bigint;
}

/** A footer with a right checksum. */
export function vhdFooter({
  type = 3,
  creator = 'win ',
  size = 0,
  geometry = [1, 4, 17],
  dataOffset = 512n,
}: VhdOptions): Buffer {
  const out = Buffer.alloc(512);
  out.write('conectix', 0, 'latin1');
  out.writeUInt32BE(2, 8);
  out.writeUInt32BE(0x10000, 12);
  out.writeBigUInt64BE(dataOffset, 16);
  out.write(creator, 28, 'latin1');
  out.writeBigUInt64BE(BigInt(size), 40);
  out.writeBigUInt64BE(BigInt(size), 48);
  out.writeUInt16BE(geometry[0], 56);
  out.writeUInt8(geometry[1], 58);
  out.writeUInt8(geometry[2], 59);
  out.writeUInt32BE(type, 60);
  vhdChecksum(out, 64);
  return out;
}

export const VHD_BLOCK = 256 * 1024;
/** Where `vhdDynamic` puts things. */
export const VHD_AT = { header: 512, table: 1536, blocks: 2048 } as const;

/** A dynamic disk of 256 KiB blocks, stored in the order of `order` (block numbers). */
export function vhdDynamic(
  blocks: readonly (Buffer | undefined)[],
  options: VhdOptions & { readonly order?: readonly number[] } = {},
): Built {
  const size = options.size ?? blocks.length * VHD_BLOCK;
  const footer = vhdFooter({ ...options, size });
  const header = Buffer.alloc(1024);
  header.write('cxsparse', 0, 'latin1');
  header.fill(0xff, 8, 16);
  header.writeBigUInt64BE(BigInt(VHD_AT.table), 16);
  header.writeUInt32BE(0x10000, 24);
  header.writeUInt32BE(blocks.length, 28);
  header.writeUInt32BE(VHD_BLOCK, 32);
  vhdChecksum(header, 36);
  const table = Buffer.alloc(512, 0xff);
  const stored: Buffer[] = [];
  for (const i of options.order ?? blocks.keys()) {
    const bytes = blocks[i];
    if (bytes === undefined) continue;
    table.writeUInt32BE(VHD_AT.blocks / 512 + stored.length * ((VHD_BLOCK + 512) / 512), i * 4);
    stored.push(Buffer.concat([Buffer.alloc(512, 0xff), bytes]));
  }
  return { file: Buffer.concat([footer, header, table, ...stored, footer]), raw: expand(blocks, VHD_BLOCK, size) };
}

/** Writes a field of the dynamic header and sets its checksum right again. */
export function patchVhdHeader(file: Buffer, patch: (header: Buffer) => void): Buffer {
  const out = Buffer.from(file);
  const header = out.subarray(VHD_AT.header, VHD_AT.header + 1024);
  patch(header);
  vhdChecksum(header, 36);
  return out;
}

/** Sets all three checksums of a dynamic disk right. */
export function resealVhd(file: Buffer): void {
  vhdChecksum(file.subarray(0, 512), 64);
  vhdChecksum(file.subarray(VHD_AT.header, VHD_AT.header + 1024), 36);
  vhdChecksum(file.subarray(file.length - 512), 64);
}

/** A fixed disk. */
export function vhdFixed(raw: Buffer, options: VhdOptions = {}): Built {
  return {
    file: Buffer.concat([raw, vhdFooter({ type: 2, dataOffset: 2n ** 64n - 1n, size: raw.length, ...options })]),
    raw,
  };
}

// ---- VDI ----

export const VDI_BLOCK = 1024 * 1024;

export function vdiImage(
  blocks: readonly (Buffer | undefined)[],
  options: { readonly type?: number; readonly size?: number; readonly order?: readonly number[] } = {},
): Built {
  const size = options.size ?? blocks.length * VDI_BLOCK;
  const head = Buffer.alloc(512);
  head.write('<<< Oracle VM VirtualBox Disk Image >>>\n', 0, 'latin1');
  const u32: readonly (readonly [number, number])[] = [
    [64, 0xbeda107f],
    [68, 0x10001],
    [72, 400],
    [76, options.type ?? 1],
    [340, 512],
    [344, 1024],
    [360, 512],
    [376, VDI_BLOCK],
    [384, blocks.length],
    [388, blocks.filter((bytes) => bytes !== undefined).length],
  ];
  for (const [at, value] of u32) head.writeUInt32LE(value, at);
  head.writeBigUInt64LE(BigInt(size), 368);
  const map = Buffer.alloc(512, 0xff);
  const stored: Buffer[] = [];
  for (const i of options.order ?? blocks.keys()) {
    const bytes = blocks[i];
    if (bytes === undefined) continue;
    map.writeUInt32LE(stored.length, i * 4);
    stored.push(bytes);
  }
  return { file: Buffer.concat([head, map, ...stored]), raw: expand(blocks, VDI_BLOCK, Math.ceil(size / 512) * 512) };
}

// ---- ploop ----

/** `sectors` per cluster; entries count sectors in generation 1 and clusters in generation 2. */
export function ploopImage(
  blocks: readonly (Buffer | undefined)[],
  generation: 1 | 2,
  sectors = 128,
  size?: number,
): Built {
  const cluster = sectors * 512;
  const dataStart = generation === 1 ? 512 : cluster;
  const head = Buffer.alloc(dataStart);
  head.write(generation === 1 ? 'WithoutFreeSpace' : 'WithouFreSpacExt', 0, 'latin1');
  head.writeUInt32LE(2, 16);
  head.writeUInt32LE(sectors, 28);
  head.writeUInt32LE(blocks.length, 32);
  head.writeBigUInt64LE(BigInt((size ?? blocks.length * cluster) / 512), 36);
  head.writeUInt32LE(0x312e3276, 44);
  head.writeUInt32LE(dataStart / 512, 48);
  const stored = blocks.flatMap((bytes, i) => (bytes === undefined ? [] : [{ bytes, i }]));
  for (const [n, { i }] of stored.entries()) {
    const at = dataStart + n * cluster;
    head.writeUInt32LE(generation === 1 ? at / 512 : at / cluster, 64 + i * 4);
  }
  const file = Buffer.concat([head, ...stored.map(({ bytes }) => bytes)]);
  return { file, raw: expand(blocks, cluster, size ?? blocks.length * cluster) };
}

// ---- VMDK ----

export const GRAIN = 64 * 1024;

export function descriptorText(createType: string, sectors: number, extra = ''): string {
  return `# Disk DescriptorFile
version=1
CID=12345678
parentCID=ffffffff
createType="${createType}"

RW ${sectors} SPARSE "disk.vmdk"

ddb.virtualHWVersion = "7"
ddb.adapterType = "lsilogic"
${extra}`;
}

export interface VmdkOptions {
  readonly capacity?: number;
  readonly flags?: number;
  readonly version?: number;
  readonly descriptor?: string;
}

function vmdkHeader(
  capacity: number,
  flags: number,
  version: number,
  directorySector: bigint,
  algorithm: number,
): Buffer {
  const out = Buffer.alloc(512);
  out.write('KDMV', 0, 'latin1');
  out.writeUInt32LE(version, 4);
  out.writeUInt32LE(flags, 8);
  out.writeBigUInt64LE(BigInt(capacity / 512), 12);
  out.writeBigUInt64LE(BigInt(GRAIN / 512), 20);
  out.writeBigUInt64LE(1n, 28);
  out.writeBigUInt64LE(20n, 36);
  out.writeUInt32LE(512, 44);
  out.writeBigUInt64LE(directorySector, 56);
  out.writeBigUInt64LE(128n, 64);
  out.write('\n \r\n', 73, 'latin1');
  out.writeUInt16LE(algorithm, 77);
  return out;
}

function descriptorBytes(text: string): Buffer {
  const out = Buffer.alloc(20 * 512);
  out.write(text, 0, 'latin1');
  return out;
}

/** Sectors of `vmdkSparse`. */
export const SPARSE_AT = { directory: 32, table: 33, grains: 128 } as const;

/** monolithicSparse of at most 512 grains; a hole is 0 in the table, `'zero'` the entry 1. */
export function vmdkSparse(grains: readonly (Buffer | 'zero' | undefined)[], options: VmdkOptions = {}): Built {
  const capacity = options.capacity ?? grains.length * GRAIN;
  const text = options.descriptor ?? descriptorText('monolithicSparse', capacity / 512);
  const head = Buffer.alloc(SPARSE_AT.grains * 512);
  vmdkHeader(capacity, options.flags ?? 5, options.version ?? 2, BigInt(SPARSE_AT.directory), 0).copy(head);
  descriptorBytes(text).copy(head, 512);
  head.writeUInt32LE(SPARSE_AT.table, SPARSE_AT.directory * 512);
  const stored: Buffer[] = [];
  for (const [i, bytes] of grains.entries()) {
    const at = SPARSE_AT.grains + stored.length * (GRAIN / 512);
    if (bytes instanceof Buffer) stored.push(bytes);
    const entry = bytes === 'zero' ? 1 : bytes === undefined ? 0 : at;
    head.writeUInt32LE(entry, SPARSE_AT.table * 512 + i * 4);
  }
  const data = grains.map((bytes) => (bytes instanceof Buffer ? bytes : undefined));
  return { file: Buffer.concat([head, ...stored]), raw: expand(data, GRAIN, capacity) };
}

/** A grain as streamOptimized stores it. */
export function storedGrain(lba: number, data: Buffer, stream: Buffer = deflateSync(data)): Buffer {
  const marker = Buffer.alloc(12);
  marker.writeBigUInt64LE(BigInt(lba), 0);
  marker.writeUInt32LE(stream.length, 8);
  return pad(Buffer.concat([marker, stream]), 512);
}

function marker(type: number, sectors: number): Buffer {
  const out = Buffer.alloc(512);
  out.writeBigUInt64LE(BigInt(sectors), 0);
  out.writeUInt32LE(type, 12);
  return out;
}

/** streamOptimized of at most 512 grains with the table between grains and footer. `store` bends single grains. */
export function vmdkStream(
  grains: readonly (Buffer | undefined)[],
  options: VmdkOptions & {
    readonly store?: (i: number, data: Buffer) => Buffer;
    readonly footer?: (footer: Buffer) => void;
  } = {},
): Built {
  const capacity = options.capacity ?? grains.length * GRAIN;
  const flags = options.flags ?? 0x30001;
  const text = options.descriptor ?? descriptorText('streamOptimized', capacity / 512);
  const head = Buffer.alloc(128 * 512);
  vmdkHeader(capacity, flags, options.version ?? 1, 2n ** 64n - 1n, 1).copy(head);
  descriptorBytes(text).copy(head, 512);
  const table = Buffer.alloc(2048);
  const stored: Buffer[] = [];
  let at = 128;
  for (const [i, data] of grains.entries()) {
    if (data === undefined) continue;
    const bytes = options.store?.(i, data) ?? storedGrain((i * GRAIN) / 512, data);
    table.writeUInt32LE(at, i * 4);
    at += bytes.length / 512;
    stored.push(bytes);
  }
  const directory = Buffer.alloc(512);
  directory.writeUInt32LE(at + 1, 0);
  const footer = vmdkHeader(capacity, flags, options.version ?? 1, BigInt(at + 6), 1);
  options.footer?.(footer);
  const tail = [marker(1, 4), table, marker(2, 1), directory, marker(3, 1), footer, marker(0, 0)];
  return { file: Buffer.concat([head, ...stored, ...tail]), raw: expand(grains, GRAIN, capacity) };
}
