/** RFC 9110, section 14.1.2; Amazon S3 API Reference, UploadPartCopy. */
import { describe, expect, it } from 'vitest';
import { parseCopyRange, parseRange } from '../../../../local/s3/byte-range.ts';

const refusal = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error;
  }
};

describe('a Range header', () => {
  it.each([
    ['bytes=0-0', 10, { start: 0, length: 1 }],
    ['bytes=2-5', 10, { start: 2, length: 4 }],
    ['bytes=0-9', 10, { start: 0, length: 10 }],
    ['bytes=0-10', 10, { start: 0, length: 10 }],
    ['bytes=12-34', 100, { start: 12, length: 23 }],
    ['bytes=9-', 10, { start: 9, length: 1 }],
    ['bytes=0-', 10, { start: 0, length: 10 }],
    ['bytes=-1', 10, { start: 9, length: 1 }],
    ['bytes=-10', 10, { start: 0, length: 10 }],
    ['bytes=-11', 10, { start: 0, length: 10 }],
    [' bytes=2-5 ', 10, { start: 2, length: 4 }],
  ])('%j of %d bytes', (header, size, range) => {
    expect(parseRange(header, size)).toEqual(range);
  });

  it.each([
    undefined,
    '',
    'bytes=-',
    'bytes=5-2',
    'bytes=1-2,4-5',
    'bytes=a-2',
    'bytes=1-2x',
    'xbytes=1-2',
    'items=1-2',
    'bytes 1-2',
  ])('%j is ignored', (header) => {
    expect(parseRange(header, 10)).toBeUndefined();
  });

  it.each([
    ['bytes=10-', 10],
    ['bytes=10-11', 10],
    ['bytes=-0', 10],
    ['bytes=0-', 0],
  ])('%j of %d bytes cannot be served', (header, size) => {
    expect(refusal(() => parseRange(header, size))).toMatchObject({
      ...{ code: 'InvalidRange', status: 416, headers: { 'content-range': `bytes */${size}` } },
    });
  });
});

describe('the range of a copy', () => {
  it.each([
    [undefined, 10, { start: 0, length: 10 }],
    ['bytes=0-9', 10, { start: 0, length: 10 }],
    ['bytes=3-3', 10, { start: 3, length: 1 }],
    ['bytes=12-34', 100, { start: 12, length: 23 }],
  ])('%j of %d bytes', (header, size, range) => {
    expect(parseCopyRange(header, size)).toEqual(range);
  });

  it.each(['', 'bytes=3-', 'bytes=-3', 'bytes=4-3', 'bytes=0-1,3-4', 'xbytes=0-1', 'bytes=0-1x', ' bytes=0-1'])(
    '%j is none',
    (header) => {
      expect(refusal(() => parseCopyRange(header, 10))).toMatchObject({
        ...{ code: 'InvalidArgument', message: expect.stringContaining('of the form bytes=first-last') },
      });
    },
  );

  it('ends within its source', () => {
    expect(refusal(() => parseCopyRange('bytes=0-10', 10))).toMatchObject({
      ...{ code: 'InvalidArgument', message: expect.stringContaining('not valid for source object of size: 10') },
    });
  });
});
