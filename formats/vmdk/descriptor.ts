/** The text that says what a VMDK consists of (facts section 4.3; Virtual Disk Format 5.0, "The Descriptor File"). */
import { latin1 } from '../engine/text.ts';

/** qemu's own bound on a descriptor. */
export const MAX_DESCRIPTOR = 1024 * 1024 - 1;

export interface DescriptorExtent {
  readonly access: string;
  /** Bytes. */
  readonly size: number;
  readonly type: string;
  readonly file: string | undefined;
}

export interface Descriptor {
  /** Header entries by lower-case key, quotes taken off. */
  readonly entries: ReadonlyMap<string, string>;
  /** Disk database (`ddb.*`) by lower-case key. */
  readonly database: ReadonlyMap<string, string>;
  readonly extents: readonly DescriptorExtent[];
  /** What a strict reader refuses, as sentences. */
  readonly problems: readonly string[];
}

/** Header keys that products write. Whatever else stands in a descriptor may mean anything, so it is refused. */
const HEADER_KEYS: ReadonlySet<string> = new Set([
  'version',
  'encoding',
  'cid',
  'parentcid',
  'isnativesnapshot',
  'createtype',
  'parentfilenamehint',
  'changetrackpath',
]);
/** Keys that readers look for with a search through the whole text: a second one would be ambiguous. */
const SEARCHED_KEYS = ['createtype', 'parentcid', 'parentfilenamehint'] as const;

const EXTENT = /^(RW|RDONLY|NOACCESS)\s+(\d{1,16})\s+([A-Z0-9]+)(?:\s+"([^"]*)"(?:\s+\S+)*)?$/i;
const ENTRY = /^([\w.]+)\s*=\s*(?:"([^"]*)"|([^"]*))$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

interface Draft {
  readonly entries: Map<string, string>;
  readonly database: Map<string, string>;
  readonly extents: DescriptorExtent[];
  readonly problems: string[];
}

/** Parses a descriptor; a NUL ends it. Never throws: what does not fit is in `problems`. */
export function parseDescriptor(bytes: Uint8Array): Descriptor {
  const end = bytes.indexOf(0);
  const text = latin1(end < 0 ? bytes : bytes.subarray(0, end)).replace(/^\xef\xbb\xbf/, '');
  const draft: Draft = { entries: new Map(), database: new Map(), extents: [], problems: [] };
  if (CONTROL.test(text)) draft.problems.push('the descriptor has control characters');
  for (const line of text.split(/\r?\n/)) parseLine(line.trim(), draft);
  const lower = text.toLowerCase();
  for (const key of SEARCHED_KEYS) {
    const times = lower.split(key).length - 1;
    if (times > 1) draft.problems.push(`the descriptor names ${key} ${times} times`);
  }
  return draft;
}

function parseLine(line: string, draft: Draft): void {
  if (line === '' || line.startsWith('#')) return;
  const extent = EXTENT.exec(line);
  if (extent !== null) {
    const [, access = '', sectors = '', type = '', file] = extent;
    draft.extents.push({ access: access.toUpperCase(), size: Number(sectors) * 512, type: type.toUpperCase(), file });
    return;
  }
  const entry = ENTRY.exec(line);
  const key = entry?.[1]?.toLowerCase() ?? '';
  const target = key.startsWith('ddb.') ? draft.database : HEADER_KEYS.has(key) ? draft.entries : undefined;
  if (target === undefined) {
    draft.problems.push(`the descriptor has an unknown line: ${JSON.stringify(line.slice(0, 80))}`);
    return;
  }
  if (target.has(key)) draft.problems.push(`the descriptor has ${key} twice`);
  target.set(key, (entry?.[2] ?? entry?.[3] ?? '').trim());
}

/**
 * True when the first bytes of an object look like a descriptor: text whose first line says so, or that has a
 * `createType`, or whose first line behind comments is a version (what qemu looks for).
 */
export function looksLikeDescriptor(head: Uint8Array): boolean {
  const end = head.indexOf(0);
  const text = latin1(end < 0 ? head : head.subarray(0, end)).replace(/^\xef\xbb\xbf/, '');
  const lines = text.split(/\r\n?|\n/).map((line) => line.trim());
  const first = lines.find((line) => line !== '');
  if (first === undefined) return false;
  if (first.startsWith('#') && /#\s*disk descriptorfile/i.test(first)) return true;
  const entry = lines.find((line) => line !== '' && !line.startsWith('#'));
  if (entry !== undefined && /^version\s*=\s*[1-3]$/i.test(entry)) return true;
  return !CONTROL.test(text) && lines.some((line) => /^createtype\s*=/i.test(line));
}
