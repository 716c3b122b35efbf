/** One 512-byte tar header: ustar, GNU and V7 (POSIX.1-1988, GNU tar manual "Basic Tar Format"). Facts section 10. */

import { Corrupt, LimitExceeded } from '../engine/errors.ts';
import { fieldText, hasText } from '../engine/match.ts';
import { hex, utf8 } from '../engine/text.ts';

export const BLOCK = 512;

/** A header as stored; `size` in bytes. `typeflag` is one character, `0` for an old-style NUL. */
export interface TarHeader {
  readonly name: string;
  readonly size: number;
  readonly typeflag: string;
  readonly linkName: string;
}

/** True when a block carries a tar header: right checksum, and the ustar magic or (V7) octal fields throughout. */
export function isTarHeader(block: Uint8Array): boolean {
  if (block.length < BLOCK || block[0] === 0 || !checksumMatches(block)) return false;
  if (hasText(block, 257, 'ustar')) return true;
  return [100, 108, 116].every((at) => isOctalField(block, at, 8)) && isOctalField(block, 124, 12);
}

/** True for a block of zeros only: two of them end an archive. */
export function isEndBlock(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** @throws Corrupt on a wrong checksum or a field that is no number; LimitExceeded on a size of 2^53 or more. */
export function parseTarHeader(block: Uint8Array, offset: number): TarHeader {
  if (!checksumMatches(block)) throw new Corrupt(`tar header at ${offset}: wrong checksum`);
  const typeflag = String.fromCharCode(block[156] || 0x30);
  const isPosix = hasText(block, 257, 'ustar\0');
  const prefix = isPosix ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size: numberField(block, 124, 12, `tar header at ${offset}: size`),
    typeflag,
    linkName: text(block, 157, 100),
  };
}

/** Sum of all bytes, the checksum field counted as blanks; very old writers summed signed bytes. */
function checksumMatches(block: Uint8Array): boolean {
  let unsigned = 8 * 0x20;
  let signed = 8 * 0x20;
  for (let i = 0; i < BLOCK; i++) {
    if (i >= 148 && i < 156) continue;
    const byte = block[i] ?? 0;
    unsigned += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  const stored = octal(fieldText(block, 148, 8));
  return stored !== undefined && (stored === unsigned || stored === signed);
}

/** Octal text, or base-256 when the first byte is 0x80. 0xff.. would be negative. */
function numberField(block: Uint8Array, offset: number, length: number, what: string): number {
  const first = block[offset] ?? 0;
  if ((first & 0x80) === 0) {
    const value = octal(fieldText(block, offset, length));
    if (value === undefined) throw new Corrupt(`${what} is not an octal number`);
    return value;
  }
  if (first !== 0x80) throw new Corrupt(`${what} is negative or above 2^88`);
  const value = BigInt(`0x${hex(block.subarray(offset + 1, offset + length))}`);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new LimitExceeded(`${what}: ${value} is not below 2^53`);
  return Number(value);
}

/** Value of an octal field, blanks around it; undefined for anything else. Twelve digits stay below 2^36. */
function octal(field: string): number | undefined {
  const digits = field.trim();
  if (digits === '') return 0;
  return /^[0-7]{1,12}$/u.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

function isOctalField(block: Uint8Array, offset: number, length: number): boolean {
  const field = fieldText(block, offset, length).trim();
  return field !== '' && octal(field) !== undefined;
}

/** Member names are UTF-8 in practice; what is not stays visible as replacement characters. */
function text(block: Uint8Array, offset: number, length: number): string {
  const field = block.subarray(offset, offset + length);
  const nul = field.indexOf(0);
  return utf8(nul < 0 ? field : field.subarray(0, nul));
}
