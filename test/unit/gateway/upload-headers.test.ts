import { expect, test } from 'vitest';
import { NotImplemented, UnsupportedMedia } from '../../../core/errors.ts';
import { uploadHeaders } from '../../../gateway/upload-headers.ts';

test.each(['application/octet-stream', 'APPLICATION/OCTET-STREAM', 'Application/Octet-Stream; Charset=x'])(
  'media types compare without case: %s',
  (type) => {
    expect(uploadHeaders({ 'content-type': type, 'content-length': '7' })).toMatchObject({ declaredSize: 7 });
  },
);

test.each(['application/json', 'application/octet-streams', '', undefined])('another type is refused: %s', (type) => {
  expect(() => uploadHeaders({ ...(type !== undefined && { 'content-type': type }) })).toThrow(UnsupportedMedia);
});

const octets = { 'content-type': 'application/octet-stream' };

test.each(['gzip, chunked', 'GZIP,chunked', 'deflate', 'chunked, gzip'])('no other transfer coding: %s', (coding) => {
  expect(() => uploadHeaders({ ...octets, 'transfer-encoding': coding })).toThrow(NotImplemented);
});

test.each(['gzip', 'br', 'x-gzip', 'identity, deflate'])('no content coding: %s', (coding) => {
  const headers = { ...octets, 'content-length': '7', 'content-encoding': coding };
  expect(() => uploadHeaders(headers)).toThrow(UnsupportedMedia);
});

test('codings that change nothing are taken', () => {
  const headers = { ...octets, 'transfer-encoding': 'Chunked', 'content-encoding': 'identity' };
  expect(uploadHeaders(headers)).toEqual({ store: undefined, declaredSize: undefined });
});
