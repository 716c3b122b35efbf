/** pax extended header records, "length key=value\n" (POSIX.1-2001, `pax` Extended Description). Facts section 10. */

import { Corrupt } from '../engine/errors.ts';
import { latin1, utf8 } from '../engine/text.ts';

/** What pax records change about a member; an empty value deletes an earlier one. */
export interface PaxOverrides {
  readonly path?: string;
  readonly linkpath?: string;
  readonly size?: number;
  /** GNU.sparse.* records: the stored bytes are not the file's. */
  readonly sparse?: boolean;
}

/** Decodes the data of an `x` or `g` member. @throws Corrupt on a malformed record. */
export function parsePax(bytes: Uint8Array, what: string): PaxOverrides {
  const out: { path?: string; linkpath?: string; size?: number; sparse?: boolean } = {};
  let at = 0;
  while (at < bytes.length) {
    const { key, value, next } = record(bytes, at, what);
    at = next;
    if (key === 'path') out.path = value;
    else if (key === 'linkpath') out.linkpath = value;
    else if (key === 'size') out.size = decimal(value, what);
    else if (key.startsWith('GNU.sparse.')) out.sparse = true;
  }
  return out;
}

/** The length counts itself, the blank and the newline. */
function record(bytes: Uint8Array, at: number, what: string): { key: string; value: string; next: number } {
  const blank = bytes.indexOf(0x20, at);
  const digits = blank < 0 ? '' : latin1(bytes.subarray(at, Math.min(blank, at + 8)));
  if (!/^[1-9][0-9]*$/u.test(digits)) throw new Corrupt(`${what}: pax record at ${at} has no length`);
  const next = at + Number(digits);
  const equals = bytes.indexOf(0x3d, blank);
  if (next > bytes.length || bytes[next - 1] !== 0x0a || equals < 0 || equals >= next || next <= blank) {
    throw new Corrupt(`${what}: pax record at ${at} of length ${digits} is malformed`);
  }
  return {
    key: utf8(bytes.subarray(blank + 1, equals)),
    value: utf8(bytes.subarray(equals + 1, next - 1)),
    next,
  };
}

function decimal(value: string, what: string): number {
  const size = /^[0-9]{1,16}$/u.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(size))
    throw new Corrupt(`${what}: pax size "${value.slice(0, 32)}" is not a number below 2^53`);
  return size;
}
