/**
 * ZIP archives of exactly one file, stored or deflated (APPNOTE 6.3.10). The central directory is believed, and the
 * local header, the length and the CRC must agree with it.
 */
import { crc32 } from '#codecs/crc32.ts';
import { expand } from '#codecs/expand.ts';
import { exact, view } from '../bytes.ts';
import { Corrupt, Truncated, Unsupported } from '../errors.ts';
import { assertWithin, type ByteSource } from '../source.ts';
import { utf8 } from '../text.ts';
import { readChunks } from './read-chunks.ts';

const END = 0x06054b50;
const END64_LOCATOR = 0x07064b50;
const END64 = 0x06064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
/** End record of 22 bytes with a comment of at most 65535. */
const END_SEARCH = 22 + 65_535;
const ALL_ONES_16 = 0xffff;
const ALL_ONES_32 = 0xffffffff;

/** The one file of an archive; `start` is the first byte of its data, sizes in bytes. */
interface ZipMember {
  readonly name: string;
  readonly method: 'stored' | 'deflate';
  readonly start: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly crc: number;
}

/** Entries of a central directory that are looked at: one file, and the folders that it may lie in. */
const MAX_ENTRIES = 100;
const MAX_DIRECTORY_BYTES = 1024 * 1024;
/** What macOS puts beside a file that it packs. */
const BESIDE = '__MACOSX/';

/** @throws Unsupported for several files, encryption and other methods; Corrupt, Truncated */
async function readZipMember(source: ByteSource): Promise<ZipMember> {
  const { count, offset, size } = await endRecord(source);
  if (count > MAX_ENTRIES) throw new Unsupported(`zip: ${count} entries, exactly one file can be unpacked`);
  const directory = await source.read(offset, Math.min(size, MAX_DIRECTORY_BYTES));
  const files: Uint8Array[] = [];
  for (let at = 0, entry = 0; entry < count; entry++) {
    const bytes = directory.subarray(at);
    at += entryLength(bytes, offset + at);
    const name = nameOf(bytes);
    if (!name.endsWith('/') && !name.startsWith(BESIDE)) files.push(bytes);
  }
  const [entry] = files;
  if (entry === undefined || files.length > 1)
    throw new Unsupported(`zip: ${files.length} files, exactly one can be unpacked`);
  return memberOf(source, entry);
}

/** Bytes of the entry of the central directory that stands first in `bytes`. @throws Corrupt */
function entryLength(bytes: Uint8Array, at: number): number {
  if (bytes.length < 46) throw new Corrupt(`zip: a central directory that ends within the entry at ${at}`);
  const data = view(bytes);
  if (data.getUint32(0, true) !== CENTRAL) throw new Corrupt(`zip: no central directory at ${at}`);
  const length = 46 + data.getUint16(28, true) + data.getUint16(30, true) + data.getUint16(32, true);
  if (length > bytes.length) throw new Corrupt(`zip: a central directory that ends within the entry at ${at}`);
  return length;
}

const nameOf = (entry: Uint8Array): string => utf8(entry.subarray(46, 46 + view(entry).getUint16(28, true)));

async function memberOf(source: ByteSource, entry: Uint8Array): Promise<ZipMember> {
  const data = view(entry);
  if ((data.getUint16(8, true) & 0x41) !== 0) throw new Unsupported('zip: the file is encrypted');
  const nameLength = data.getUint16(28, true);
  const sizes = entrySizes(entry, 46 + nameLength, data.getUint16(30, true));
  return {
    name: nameOf(entry),
    method: methodOf(data.getUint16(10, true)),
    start: await dataStart(source, sizes.localOffset),
    compressedSize: sizes.compressedSize,
    size: sizes.size,
    crc: data.getUint32(16, true),
  };
}

/** Expands the one file and compares length and CRC-32 at its end. @throws Corrupt, Truncated, Unsupported */
export async function* zipChunks(source: ByteSource): AsyncGenerator<Uint8Array> {
  const member = await readZipMember(source);
  assertWithin(source, member.start, member.compressedSize, 'zip member');
  const stored = readChunks(source, member.start, member.start + member.compressedSize);
  const chunks = member.method === 'stored' ? stored : expand('deflate', stored, 'zip member');
  let size = 0;
  let crc = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    crc = crc32(chunk, crc);
    if (size > member.size) throw new Corrupt(`zip member is longer than the ${member.size} bytes it states`);
    yield chunk;
  }
  if (size !== member.size) throw new Truncated(`zip member has ${size} bytes, states ${member.size}`);
  if (crc !== member.crc)
    throw new Corrupt(`zip member: CRC32 is ${crc.toString(16)}, states ${member.crc.toString(16)}`);
}

function methodOf(method: number): ZipMember['method'] {
  if (method === 0) return 'stored';
  if (method === 8) return 'deflate';
  throw new Unsupported(`zip: compression method ${method} is not stored or deflate`);
}

interface Directory {
  readonly count: number;
  readonly offset: number;
  readonly size: number;
}

async function endRecord(source: ByteSource): Promise<Directory> {
  const length = Math.min(source.size, END_SEARCH);
  const base = source.size - length;
  const tail = view(await source.read(base, length));
  for (let at = length - 22; at >= 0; at--) {
    // The comment must reach to the end exactly, or the signature is part of something else.
    if (tail.getUint32(at, true) === END && at + 22 + tail.getUint16(at + 20, true) === length) {
      const found = {
        count: tail.getUint16(at + 10, true),
        size: tail.getUint32(at + 12, true),
        offset: tail.getUint32(at + 16, true),
      };
      const is64 = found.count === ALL_ONES_16 || found.size === ALL_ONES_32 || found.offset === ALL_ONES_32;
      const directory = is64 ? await endRecord64(source, base + at) : found;
      assertWithin(source, directory.offset, directory.size, 'zip central directory');
      return directory;
    }
  }
  throw new Truncated('zip: no end of central directory');
}

async function endRecord64(source: ByteSource, endAt: number): Promise<Directory> {
  if (endAt < 20) throw new Corrupt('zip64: no room for a locator');
  const locator = view(await source.read(endAt - 20, 20));
  if (locator.getUint32(0, true) !== END64_LOCATOR) throw new Corrupt('zip64: no locator before the end record');
  const record = view(await source.read(exact(locator.getBigUint64(8, true), 'zip64 end record offset'), 56));
  if (record.getUint32(0, true) !== END64) throw new Corrupt('zip64: the locator does not point to an end record');
  return {
    count: exact(record.getBigUint64(32, true), 'zip64 entries'),
    size: exact(record.getBigUint64(40, true), 'zip64 directory size'),
    offset: exact(record.getBigUint64(48, true), 'zip64 directory offset'),
  };
}

/** Sizes of an entry; fields of all ones are in the zip64 extra field, in this order. */
function entrySizes(entry: Uint8Array, extraAt: number, extraLength: number) {
  const data = view(entry);
  const wide = zip64Fields(entry.subarray(extraAt, extraAt + extraLength));
  const next = (field: number, what: string) => {
    if (field !== ALL_ONES_32) return field;
    const value = wide.shift();
    if (value === undefined) throw new Corrupt(`zip64: ${what} is missing`);
    return exact(value, `zip64 ${what}`);
  };
  const size = next(data.getUint32(24, true), 'size');
  const compressedSize = next(data.getUint32(20, true), 'compressed size');
  return { size, compressedSize, localOffset: next(data.getUint32(42, true), 'local header offset') };
}

function zip64Fields(extra: Uint8Array): bigint[] {
  const data = view(extra);
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = data.getUint16(at + 2, true);
    if (data.getUint16(at, true) === 1) {
      const end = Math.min(at + 4 + length, extra.length);
      const fields: bigint[] = [];
      for (let field = at + 4; field + 8 <= end; field += 8) fields.push(data.getBigUint64(field, true));
      return fields;
    }
    at += 4 + length;
  }
  return [];
}

async function dataStart(source: ByteSource, localOffset: number): Promise<number> {
  const header = view(await source.read(localOffset, 30));
  if (header.getUint32(0, true) !== LOCAL) throw new Corrupt(`zip: no local header at ${localOffset}`);
  return localOffset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
}
