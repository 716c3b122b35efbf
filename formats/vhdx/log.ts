import { capped, concat, decode, exact, roundUp, view } from '../engine/bytes.ts';
import { Corrupt, LimitExceeded, Truncated } from '../engine/errors.ts';
import { hasText } from '../engine/match.ts';
import type { ByteSource } from '../engine/source.ts';
import { assertWithin } from '../engine/source.ts';
import { latin1 } from '../engine/text.ts';
import { crc32c } from './crc32c.ts';
import { guidAt } from './guid.ts';
import type { VhdxHeader } from './header.ts';
import { PatchList } from './overlay.ts';

const PAGE = 4096;
/** Hyper-V and qemu write logs of 1 MiB; the whole log is held in memory. */
const MAX_LOG = 8 * 1024 * 1024;
/** Entries do not overlap: a log whose entries want more checksumming than this was made to cost time. */
const MAX_CHECKSUMMED = 4 * MAX_LOG;

/** Log entry header, little endian ([MS-VHDX] 2.3.1.1). */
const ENTRY = {
  checksum: [4, 'u32'],
  entryLength: [8, 'u32'],
  tail: [12, 'u32'],
  sequenceNumber: [16, 'u64'],
  descriptorCount: [24, 'u32'],
  flushedFileOffset: [48, 'u64'],
} as const;
const ENTRY_GUID_AT = 32;
const DESCRIPTORS_AT = 64;
const DESCRIPTOR_BYTES = 32;
/** Both kinds of descriptor (2.3.1.2, 2.3.1.3): `first` is the trailing bytes of data, `second` leading bytes or a length. */
const DESCRIPTOR = {
  first: [4, 'u32'],
  second: [8, 'u64'],
  fileOffset: [16, 'u64'],
  sequenceNumber: [24, 'u64'],
} as const;

/** A valid entry of the log. */
interface LogEntry {
  /** Where it begins in the ring, in bytes. */
  readonly at: number;
  /** Where the next begins. */
  readonly next: number;
  /** Where the oldest entry not yet in the file began when this one was written. */
  readonly tail: number;
  readonly sequence: bigint;
  readonly bytes: Uint8Array;
}

/**
 * The writes of the active sequence, oldest first, none of them done yet ([MS-VHDX] 2.3.3).
 * @throws Corrupt when the header names a log and it has no valid sequence; Truncated, LimitExceeded
 */
export async function readLog(source: ByteSource, header: VhdxHeader, guid: string): Promise<PatchList> {
  const { logOffset, logLength } = header;
  capped(logLength, MAX_LOG, 'VHDX log length');
  assertWithin(source, logOffset, logLength, 'VHDX log');
  const log = await source.read(logOffset, logLength);
  const sequence = activeSequence(validEntries(log, guid));
  if (sequence.length === 0) throw new Corrupt('VHDX: the header names a log, which has no valid sequence of entries');
  const patches = new PatchList();
  for (const entry of sequence) replay(entry, source.size, patches);
  return patches;
}

/** Every entry with the right GUID and checksum, by its place in the ring. */
function validEntries(log: Uint8Array, guid: string): Map<number, LogEntry> {
  const entries = new Map<number, LogEntry>();
  let checksummed = 0;
  for (let at = 0; at < log.length; ) {
    const length = entryLength(log, at, guid);
    checksummed += length;
    if (checksummed > MAX_CHECKSUMMED) throw new LimitExceeded('VHDX log: its entries lie over one another');
    const entry = length === 0 ? undefined : parseEntry(log, at, length);
    if (entry !== undefined) entries.set(at, entry);
    at += entry === undefined ? PAGE : length;
  }
  return entries;
}

/** Length of what looks like an entry, 0 for anything else. */
function entryLength(log: Uint8Array, at: number, guid: string): number {
  const head = log.subarray(at, at + DESCRIPTORS_AT);
  if (!hasText(head, 0, 'loge') || guidAt(head, ENTRY_GUID_AT) !== guid) return 0;
  const length = view(head).getUint32(ENTRY.entryLength[0], true);
  return length % PAGE === 0 && length <= log.length ? length : 0;
}

function parseEntry(log: Uint8Array, at: number, length: number): LogEntry | undefined {
  // The log is a ring: an entry that reaches its end goes on at its start.
  const bytes =
    at + length <= log.length
      ? log.subarray(at, at + length)
      : concat([log.subarray(at), log.subarray(0, at + length - log.length)]);
  const raw = decode(ENTRY, bytes, 'LE');
  if (crc32c(bytes, ENTRY.checksum[0]) !== raw.checksum) return undefined;
  return { at, next: (at + length) % log.length, tail: raw.tail, sequence: raw.sequenceNumber, bytes };
}

/** The chain of entries with consecutive numbers and the highest last one, from that one's tail on. */
function activeSequence(entries: ReadonlyMap<number, LogEntry>): LogEntry[] {
  const follower = (entry: LogEntry): LogEntry | undefined => {
    const next = entries.get(entry.next);
    return next?.sequence === entry.sequence + 1n ? next : undefined;
  };
  const followers = new Set([...entries.values()].map(follower));
  let active: LogEntry[] = [];
  for (const first of entries.values()) {
    if (followers.has(first)) continue;
    const chain: LogEntry[] = [];
    for (let entry: LogEntry | undefined = first; entry !== undefined; entry = follower(entry)) chain.push(entry);
    const head = chain.at(-1);
    const from = chain.findIndex(({ at }) => at === head?.tail);
    const newest = active.at(-1);
    if (head !== undefined && from >= 0 && (newest === undefined || head.sequence > newest.sequence)) {
      active = chain.slice(from);
    }
  }
  return active;
}

/** Adds the writes of one entry. @throws Corrupt, Truncated */
function replay({ bytes, sequence }: LogEntry, fileSize: number, patches: PatchList): void {
  const { descriptorCount, flushedFileOffset } = decode(ENTRY, bytes, 'LE');
  if (flushedFileOffset > BigInt(fileSize)) {
    throw new Truncated(`VHDX: the log expects ${flushedFileOffset} bytes in the file, it has ${fileSize}`);
  }
  const dataAt = roundUp(DESCRIPTORS_AT + descriptorCount * DESCRIPTOR_BYTES, PAGE);
  if (dataAt > bytes.length) throw new Corrupt(`VHDX log: ${descriptorCount} descriptors in ${bytes.length} bytes`);
  let page = dataAt;
  for (let i = 0; i < descriptorCount; i++) {
    const at = DESCRIPTORS_AT + i * DESCRIPTOR_BYTES;
    const raw = decode(DESCRIPTOR, bytes, 'LE', at);
    const kind = latin1(bytes.subarray(at, at + 4));
    if (raw.sequenceNumber !== sequence || (kind !== 'zero' && kind !== 'desc')) {
      throw new Corrupt(`VHDX log: descriptor ${i} of entry ${sequence} belongs to another or is unknown`);
    }
    const offset = exact(raw.fileOffset, 'VHDX log target');
    const length = kind === 'zero' ? exact(raw.second, 'VHDX log zero length') : PAGE;
    if (offset % PAGE !== 0 || length % PAGE !== 0) {
      throw new Corrupt(`VHDX log: the target ${offset}..${offset + length} is not of whole pages`);
    }
    assertWithin({ size: fileSize }, offset, length, 'VHDX log target');
    if (kind === 'zero') patches.add({ offset, length });
    else {
      patches.add({ offset, length, bytes: dataPage(bytes, at, page, sequence) });
      page += PAGE;
    }
  }
}

/** A page is 8 bytes from the descriptor, 4084 from the data sector, 4 from the descriptor. */
function dataPage(entry: Uint8Array, descriptor: number, at: number, sequence: bigint): Uint8Array {
  if (at + PAGE > entry.length) throw new Corrupt('VHDX log: an entry has fewer data sectors than descriptors');
  const sector = entry.subarray(at, at + PAGE);
  const own = (BigInt(view(sector).getUint32(4, true)) << 32n) | BigInt(view(sector).getUint32(PAGE - 4, true));
  if (!hasText(sector, 0, 'data') || own !== sequence) {
    throw new Corrupt(`VHDX log: a data sector of entry ${sequence} belongs to entry ${own}`);
  }
  const out = new Uint8Array(PAGE);
  out.set(entry.subarray(descriptor + 8, descriptor + 16), 0);
  out.set(sector.subarray(8, PAGE - 4), 8);
  out.set(entry.subarray(descriptor + 4, descriptor + 8), PAGE - 4);
  return out;
}
