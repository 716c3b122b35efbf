/** Text in fixed fields, as every platform reads it: what Node's Buffer does, without it. */

/** Bytes as Latin-1: one character per byte. */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  // A call takes a limited number of arguments.
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

/** Text of characters below 256 as bytes; the inverse of `latin1`. */
export function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** A byte order mark is a character like others. */
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Bytes as UTF-8; what is none becomes replacement characters. */
export function utf8(bytes: Uint8Array): string {
  return UTF8.decode(bytes);
}

/** Bytes as UTF-16, little endian, whatever its surrogates; an odd last byte is left out. */
export function utf16le(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    text += String.fromCharCode((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8));
  }
  return text;
}

/** Bytes as lower-case hex. */
export function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** Text as UTF-16, little endian; the inverse of `utf16le`. */
export function utf16leBytes(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length * 2 }, (_, at) => text.charCodeAt(at >> 1) >> (8 * (at & 1)));
}

/** Bytes of pairs of hex digits; the inverse of `hex`. */
export function hexBytes(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => Number.parseInt(text.slice(at * 2, at * 2 + 2), 16));
}
