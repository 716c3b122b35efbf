import { latin1 } from './text.ts';

/** True when `text` (one byte per character, Latin-1) stands in `bytes` at `offset`. False past the end. */
export function hasText(bytes: Uint8Array, offset: number, text: string): boolean {
  if (offset < 0 || offset + text.length > bytes.length) return false;
  for (let i = 0; i < text.length; i++) {
    if (bytes[offset + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}

/** Latin-1 text of a fixed field, cut at the first NUL; trailing blanks are padding and dropped. */
export function fieldText(bytes: Uint8Array, offset: number, length: number): string {
  const end = Math.min(offset + length, bytes.length);
  const text = latin1(bytes.subarray(offset, end));
  const nul = text.indexOf('\0');
  return (nul < 0 ? text : text.slice(0, nul)).trimEnd();
}
