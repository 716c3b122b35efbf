import { view } from '../engine/bytes.ts';
import { hex, hexBytes } from '../engine/text.ts';

export const NIL_GUID = '00000000-0000-0000-0000-000000000000';

/** A GUID of 16 bytes as text, upper case; the first three groups are little endian in the file. */
export function guidAt(bytes: Uint8Array, at: number): string {
  const data = view(bytes);
  const number = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  const tail = hex(bytes.subarray(at + 8, at + 16));
  const head = [
    number(data.getUint32(at, true), 8),
    number(data.getUint16(at + 4, true), 4),
    number(data.getUint16(at + 6, true), 4),
  ];
  return `${head.join('-')}-${tail.slice(0, 4)}-${tail.slice(4)}`.toUpperCase();
}

/** Writes a GUID, the inverse of `guidAt`; letters of either case. */
export function putGuid(bytes: Uint8Array, at: number, guid: string): void {
  const [a = '', b = '', c = '', ...tail] = guid.split('-');
  const data = view(bytes);
  data.setUint32(at, Number.parseInt(a, 16), true);
  data.setUint16(at + 4, Number.parseInt(b, 16), true);
  data.setUint16(at + 6, Number.parseInt(c, 16), true);
  bytes.set(hexBytes(tail.join('')), at + 8);
}
