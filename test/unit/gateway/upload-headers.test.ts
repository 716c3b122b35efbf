import { expect, test } from 'vitest';
import { UnsupportedMedia } from '../../../core/errors.ts';
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
