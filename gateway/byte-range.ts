import { InvalidInput, RangeNotSatisfiable } from '../core/errors.ts';

/** Bytes [start, end) of an image. `partial` says that the client asked for a range, be it the whole. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
  readonly partial: boolean;
}

/**
 * What part of an image of `size` bytes a request wants (contract: images.md section 11).
 * @param range the Range header; `contentRange` the historic request header Content-Range, used when there is no Range
 * @throws InvalidInput for several ranges; RangeNotSatisfiable for one that is malformed or outside the image
 */
export function byteRange(range: string | undefined, contentRange: string | undefined, size: number): ByteRange {
  if (range !== undefined) return parseRange(range, size);
  if (contentRange !== undefined) return parseContentRange(contentRange, size);
  return { start: 0, end: size, partial: false };
}

/**
 * Whether a Range header counts (RFC 9110, section 13.1.5): without If-Range, or when it names these very bytes. A weak tag never does,
 * nor does a date: no answer of ours carries one that a client could have it from.
 * @param etag the entity tag of the image, quotes included; undefined when its bytes have none
 */
export function isRangeWanted(ifRange: string | undefined, etag: string | undefined): boolean {
  return ifRange === undefined || (etag !== undefined && ifRange.trim() === etag);
}

function parseRange(range: string, size: number): ByteRange {
  if (range.includes(',')) throw new InvalidInput(`Range "${range}": only a single range is supported`);
  const [, first = '', last = ''] = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(range) ?? [];
  if (first === '' && last === '') throw unsatisfiable(range, size);
  if (first === '') {
    // A suffix of 0 bytes is satisfied by nothing (RFC 9110, section 14.1.2).
    return checked(range, size - Math.min(size, Number(last)), size, size);
  }
  const end = last === '' ? size : Math.min(size, Number(last) + 1);
  return checked(range, Number(first), end, size);
}

function parseContentRange(range: string, size: number): ByteRange {
  const [, first, last] = /^\s*bytes\s+(\d+)\s*-\s*(\d+)\s*\/\s*(?:\d+|\*)\s*$/i.exec(range) ?? [];
  if (first === undefined || last === undefined || Number(last) >= size) throw unsatisfiable(range, size);
  return checked(range, Number(first), Number(last) + 1, size);
}

function checked(range: string, start: number, end: number, size: number): ByteRange {
  if (start >= size || end <= start) throw unsatisfiable(range, size);
  return { start, end, partial: true };
}

function unsatisfiable(range: string, size: number): RangeNotSatisfiable {
  return new RangeNotSatisfiable(`Range "${range}" does not fit an image of ${size} bytes`);
}
