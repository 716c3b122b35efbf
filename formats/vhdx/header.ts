import { decode, encode, exact, sameBytes, view } from '../engine/bytes.ts';
import { Corrupt, Unsupported } from '../engine/errors.ts';
import { hasText } from '../engine/match.ts';
import type { ByteSource } from '../engine/source.ts';
import { latin1Bytes, utf16le, utf16leBytes } from '../engine/text.ts';
import { crc32c } from './crc32c.ts';
import { guidAt, NIL_GUID, putGuid } from './guid.ts';

export const FILE_SIGNATURE = 'vhdxfile';
export const MiB = 1024 * 1024;
const CREATOR_BYTES = 512;
export const HEADERS_AT = [64 * 1024, 128 * 1024] as const;
const HEADER_BYTES = 4096;

/** VHDX header, little endian ([MS-VHDX] 2.2.2). */
const HEADER = {
  checksum: [4, 'u32'],
  sequenceNumber: [8, 'u64'],
  logVersion: [64, 'u16'],
  version: [66, 'u16'],
  logLength: [68, 'u32'],
  logOffset: [72, 'u64'],
} as const;
const FILE_WRITE_GUID_AT = 16;
const DATA_WRITE_GUID_AT = 32;
const LOG_GUID_AT = 48;

export interface VhdxHeader {
  readonly sequenceNumber: bigint;
  /** File range of the log in bytes. */
  readonly logOffset: number;
  readonly logLength: number;
  /** Undefined when there is nothing to replay. */
  readonly logGuid: string | undefined;
}

/** What wrote the file, from the file identifier (UTF-16). */
export async function readCreator(source: ByteSource): Promise<string> {
  const bytes = await source.read(FILE_SIGNATURE.length, CREATOR_BYTES);
  return utf16le(bytes).replace(/\0.*/s, '');
}

/**
 * The current header: of the two the valid one with the higher sequence number.
 * @throws Corrupt when neither is valid, or both are current and differ; Unsupported for another version; Truncated
 */
export async function readHeader(source: ByteSource): Promise<VhdxHeader> {
  const valid: { bytes: Uint8Array; sequence: bigint }[] = [];
  for (const at of HEADERS_AT) {
    const bytes = await source.read(at, HEADER_BYTES);
    const signed = hasText(bytes, 0, 'head');
    const raw = decode(HEADER, bytes, 'LE');
    if (signed && crc32c(bytes, HEADER.checksum[0]) === raw.checksum)
      valid.push({ bytes, sequence: raw.sequenceNumber });
  }
  const [first, second] = valid;
  if (first === undefined) throw new Corrupt('VHDX: neither header has a valid signature and checksum');
  if (second === undefined || first.sequence > second.sequence) return parse(first.bytes);
  if (first.sequence === second.sequence && !sameBytes(first.bytes, second.bytes)) {
    throw new Corrupt(`VHDX: both headers have sequence number ${first.sequence} and they differ`);
  }
  return parse(second.bytes);
}

function parse(bytes: Uint8Array): VhdxHeader {
  const raw = decode(HEADER, bytes, 'LE');
  const logGuid = guidAt(bytes, LOG_GUID_AT);
  if (raw.version !== 1) throw new Unsupported(`VHDX version ${raw.version} is not 1`);
  if (logGuid !== NIL_GUID && raw.logVersion !== 0)
    throw new Unsupported(`VHDX log version ${raw.logVersion} is not 0`);
  return {
    sequenceNumber: raw.sequenceNumber,
    logOffset: exact(raw.logOffset, 'VHDX log offset'),
    logLength: raw.logLength,
    logGuid: logGuid === NIL_GUID ? undefined : logGuid,
  };
}

/** The file identifier: signature, and what wrote the file. */
export function encodeIdentifier(creator: string): Uint8Array {
  const bytes = new Uint8Array(FILE_SIGNATURE.length + CREATOR_BYTES);
  bytes.set(latin1Bytes(FILE_SIGNATURE));
  bytes.set(utf16leBytes(creator), FILE_SIGNATURE.length);
  return bytes;
}

/** What a header says of a file that is closed: nothing in its log is to be replayed. */
export type NewHeader = Pick<VhdxHeader, 'sequenceNumber' | 'logOffset' | 'logLength'> & {
  /** GUID of what the file holds. */
  readonly writeGuid: string;
};

export function encodeHeader({ sequenceNumber, logOffset, logLength, writeGuid }: NewHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const fields = { checksum: 0, sequenceNumber, logVersion: 0, version: 1, logLength, logOffset: BigInt(logOffset) };
  bytes.set(latin1Bytes('head'));
  encode(HEADER, fields, bytes, 'LE');
  putGuid(bytes, FILE_WRITE_GUID_AT, writeGuid);
  putGuid(bytes, DATA_WRITE_GUID_AT, writeGuid);
  view(bytes).setUint32(HEADER.checksum[0], crc32c(bytes, HEADER.checksum[0]), true);
  return bytes;
}
