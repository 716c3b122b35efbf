/**
 * The members of a tar archive, found by walking its headers with range reads: nothing is extracted, a member is a range
 * of the object. Every step and size is bounded. Facts section 10.
 */

import { capped, roundUp } from '../engine/bytes.ts';
import { Corrupt, Unsafe } from '../engine/errors.ts';
import { assertWithin, type ByteSource, subSource } from '../engine/source.ts';
import { utf8 } from '../engine/text.ts';
import { BLOCK, isEndBlock, isTarHeader, parseTarHeader, type TarHeader } from './header.ts';
import { safeName } from './name.ts';
import { type PaxOverrides, parsePax } from './pax.ts';

export type MemberKind = 'file' | 'hardlink' | 'symlink' | 'directory' | 'device' | 'sparse' | 'other';

/** One member; its data are the object's bytes [start, start + size). */
export interface TarMember {
  /** Normalised: no "./", no slash at the end, nothing that leaves the archive. */
  readonly name: string;
  readonly kind: MemberKind;
  /** Bytes from the start of the object. */
  readonly start: number;
  /** Bytes stored. */
  readonly size: number;
  /** Target of a link, as stored. */
  readonly linkName: string;
}

/** Members by name, in the archive's order. */
export type TarDirectory = ReadonlyMap<string, TarMember>;

/** Archives that carry images have tens of members; docker images of many layers have hundreds. */
export const MAX_MEMBERS = 1000;
/** Every member may bring a pax header, a long name and a long link along. */
const MAX_HEADERS = 4 * MAX_MEMBERS;
const MAX_EXTENDED_BYTES = 64 * 1024;
/** Small members (descriptors, manifests) lie together: one range read serves many headers. */
const WINDOW_BYTES = 64 * 1024;

const KINDS: Readonly<Record<string, MemberKind>> = {
  '0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'device',
  '4': 'device',
  '5': 'directory',
  '6': 'device',
  S: 'sparse',
};

/** Type flags whose data describe the member that follows, or all that follow (`g`). */
const EXTENDED = new Set(['x', 'g', 'L', 'K']);

interface Pending {
  global: PaxOverrides;
  local: PaxOverrides;
}

/**
 * Reads the whole directory of an archive.
 * @throws Unsafe (`tar_unsafe_name`, `tar_duplicate`), Truncated when a member leaves the object, Corrupt, LimitExceeded
 */
export async function readTarDirectory(source: ByteSource): Promise<TarDirectory> {
  const members = new Map<string, TarMember>();
  const reader = windowed(source);
  let pending: Pending = { global: {}, local: {} };
  let offset = 0;
  for (let headers = 1; offset + BLOCK <= source.size; headers++) {
    capped(headers, MAX_HEADERS, 'tar headers');
    const block = await reader.read(offset, BLOCK);
    if (isEndBlock(block)) break;
    const header = parseTarHeader(block, offset);
    const start = offset + BLOCK;
    if (EXTENDED.has(header.typeflag)) {
      pending = await extend(reader, header, start, pending);
      offset = start + roundUp(header.size, BLOCK);
      continue;
    }
    const member = memberOf(header, start, { ...pending.global, ...pending.local });
    assertWithin(source, start, member.size, `tar member ${JSON.stringify(member.name)}`);
    add(members, member);
    pending = { global: pending.global, local: {} };
    offset = start + roundUp(member.size, BLOCK);
  }
  if (members.size === 0) throw new Corrupt('tar: no members');
  return members;
}

/** The bytes of a regular member as a source of their own. @throws Unsafe for links, devices and sparse members. */
export function memberSource(source: ByteSource, member: TarMember): ByteSource {
  if (member.kind !== 'file') {
    throw new Unsafe('tar_unsafe_member', `tar member ${JSON.stringify(member.name)} is a ${member.kind}, not a file`);
  }
  return subSource(source, member.start, member.size);
}

/** A small regular member whole. @throws LimitExceeded above `limit` bytes, Unsafe as `memberSource`. */
export async function readMember(source: ByteSource, member: TarMember, limit: number): Promise<Uint8Array> {
  const data = memberSource(source, member);
  return data.read(0, capped(member.size, limit, `tar member ${JSON.stringify(member.name)}`));
}

/** Names of the members whose headers lie in the first bytes: what can be said of an archive at a glance. Never throws. */
export function visibleNames(head: Uint8Array): string[] {
  const names: string[] = [];
  let offset = 0;
  while (offset + BLOCK <= head.length) {
    const block = head.subarray(offset, offset + BLOCK);
    if (!isTarHeader(block)) break;
    const header = parseOrNothing(block, offset);
    if (header === undefined) break;
    if (!EXTENDED.has(header.typeflag)) names.push(header.name);
    offset += BLOCK + roundUp(header.size, BLOCK);
  }
  return names;
}

function parseOrNothing(block: Uint8Array, offset: number): TarHeader | undefined {
  try {
    return parseTarHeader(block, offset);
  } catch {
    return undefined;
  }
}

async function extend(reader: ByteSource, header: TarHeader, start: number, pending: Pending): Promise<Pending> {
  const what = `tar extended header at ${start - BLOCK}`;
  const data = await reader.read(start, capped(header.size, MAX_EXTENDED_BYTES, what));
  if (header.typeflag === 'g') return { ...pending, global: { ...pending.global, ...parsePax(data, what) } };
  if (header.typeflag === 'x') return { ...pending, local: { ...pending.local, ...parsePax(data, what) } };
  const text = utf8(data).replace(/\0.*$/su, '');
  const local = header.typeflag === 'L' ? { path: text } : { linkpath: text };
  return { ...pending, local: { ...pending.local, ...local } };
}

function memberOf(header: TarHeader, start: number, pax: PaxOverrides): TarMember {
  const kind = KINDS[header.typeflag] ?? 'other';
  const hasData = kind === 'file' || kind === 'sparse' || kind === 'other';
  return {
    name: safeName(pax.path ?? header.name),
    kind: pax.sparse === true ? 'sparse' : kind,
    start,
    size: hasData ? (pax.size ?? header.size) : 0,
    linkName: pax.linkpath ?? header.linkName,
  };
}

/** A name twice means two readers may see two files. Folders may repeat. */
function add(members: Map<string, TarMember>, member: TarMember): void {
  const earlier = members.get(member.name);
  if (earlier !== undefined && !(earlier.kind === 'directory' && member.kind === 'directory')) {
    throw new Unsafe('tar_duplicate', `tar member ${JSON.stringify(member.name)} exists twice`);
  }
  members.set(member.name, member);
  capped(members.size, MAX_MEMBERS, 'tar members');
}

/** Reads ahead by a window, for walks that go forward in small steps. */
function windowed(source: ByteSource): ByteSource {
  let start = 0;
  let bytes: Uint8Array = new Uint8Array();
  return {
    size: source.size,
    async read(offset, length) {
      if (offset < start || offset + length > start + bytes.length) {
        bytes = await source.read(offset, Math.max(length, Math.min(WINDOW_BYTES, source.size - offset)));
        start = offset;
      }
      return bytes.subarray(offset - start, offset - start + length);
    },
  };
}
