import { invalidArgument, S3Error } from './errors.ts';

const COPY_RANGE = 'x-amz-copy-source-range';

/** A run of bytes. */
export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

/**
 * The bytes a `Range` header asks of `size` bytes, or undefined when it is to be ignored: absent, malformed, another unit, or
 * several ranges. Source: RFC 9110 section 14.1.2. Throws InvalidRange (416) when no byte can be served.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  if (start >= size || (first === '' && Number(last) === 0)) {
    const told = { ActualObjectSize: String(size), RangeRequested: header?.trim() ?? '' };
    throw new S3Error('InvalidRange', undefined, { 'content-range': `bytes */${size}` }, told);
  }
  return { start, length: end - start + 1 };
}

/** The range of UploadPartCopy: both ends given and inside the source. Throws InvalidArgument. */
export function parseCopyRange(header: string | undefined, size: number): ByteRange {
  if (header === undefined) return { start: 0, length: size };
  const match = /^bytes=(\d+)-(\d+)$/.exec(header);
  const [start, end] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || end < start) {
    throw invalidArgument(
      COPY_RANGE,
      header,
      `The ${COPY_RANGE} value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy`,
    );
  }
  if (end >= size)
    throw invalidArgument(COPY_RANGE, header, `Range specified is not valid for source object of size: ${size}`);
  return { start, length: end - start + 1 };
}
