import { describe, expect, it } from 'vitest';
import {
  checkCopyConditions,
  checkDeleteCondition,
  checkReadConditions,
  checkWriteConditions,
  rangeStillValid,
} from '../../../../local/s3/conditions.ts';
import type { S3Request } from '../../../../local/s3/request.ts';
import type { StoredObject } from '../../../../local/s3/store/model.ts';

const SAVED = 'Fri, 30 Jan 2026 10:00:00 GMT';
const BEFORE = 'Fri, 30 Jan 2026 09:59:59 GMT';
const AFTER = 'Fri, 30 Jan 2026 10:00:01 GMT';
/** HTTP dates have no milliseconds, modification times have. */
const object = { etag: 'abc', modifiedMs: Date.parse(SAVED) + 999 } as StoredObject;
type Headers = Readonly<Record<string, string>>;
const request = (headers: Headers): S3Request =>
  ({ header: (name: string): string | undefined => headers[name] }) as S3Request;

/** The code of the refusal, or that there is none. */
function outcome(check: () => void): string {
  try {
    check();
    return 'pass';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const ROWS: [string, Headers, 'pass' | 'failed' | 'not-modified'][] = [
  ['no condition', {}, 'pass'],
  ['If-Match of the same', { 'if-match': '"abc"' }, 'pass'],
  ['If-Match without quotes', { 'if-match': 'abc' }, 'pass'],
  ['If-Match of one of several', { 'if-match': '"x", "abc"' }, 'pass'],
  ['If-Match of a weak tag', { 'if-match': 'W/"abc"' }, 'pass'],
  ['If-Match of anything', { 'if-match': '*' }, 'pass'],
  ['If-Match of another', { 'if-match': '"abcd"' }, 'failed'],
  ['If-Match of a tag behind something else', { 'if-match': 'x"abc"' }, 'failed'],
  ['If-Match of a tag before something else', { 'if-match': '"abc"x' }, 'failed'],
  ['If-Match of what ends like a weak tag', { 'if-match': 'xW/abc' }, 'failed'],
  ['If-Match outranks the date', { 'if-match': '"abc"', 'if-unmodified-since': BEFORE }, 'pass'],
  ['If-Unmodified-Since the second it was saved in', { 'if-unmodified-since': SAVED }, 'pass'],
  ['If-Unmodified-Since later', { 'if-unmodified-since': AFTER }, 'pass'],
  ['If-Unmodified-Since earlier', { 'if-unmodified-since': BEFORE }, 'failed'],
  ['If-Unmodified-Since no date', { 'if-unmodified-since': 'soon' }, 'pass'],
  ['If-None-Match of another', { 'if-none-match': '"x"' }, 'pass'],
  ['If-None-Match of the same', { 'if-none-match': '"abc"' }, 'not-modified'],
  ['If-None-Match outranks the date', { 'if-none-match': '"x"', 'if-modified-since': AFTER }, 'pass'],
  ['If-Modified-Since earlier', { 'if-modified-since': BEFORE }, 'pass'],
  ['If-Modified-Since the second it was saved in', { 'if-modified-since': SAVED }, 'not-modified'],
  ['If-Modified-Since no date', { 'if-modified-since': 'soon' }, 'pass'],
  ['a failed If-Match and If-None-Match of the same', { 'if-match': '"x"', 'if-none-match': '"abc"' }, 'failed'],
];

describe('reading', () => {
  it.each(ROWS)('%s', (_name, headers, wanted) => {
    const code = { pass: 'pass', failed: 'PreconditionFailed', 'not-modified': 'NotModified' }[wanted];

    expect(outcome(() => checkReadConditions(request(headers), object, {}))).toBe(code);
  });

  it('tells with 304 what the object is', () => {
    expect(() => checkReadConditions(request({ 'if-none-match': '*' }), object, { etag: '"abc"' })).toThrow(
      expect.objectContaining({ code: 'NotModified', headers: { etag: '"abc"' } }),
    );
  });
});

describe('copying', () => {
  it.each(ROWS)('%s', (_name, headers, wanted) => {
    const ofSource = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [`x-amz-copy-source-${name}`, value]),
    );

    expect(outcome(() => checkCopyConditions(request(ofSource), object))).toBe(
      wanted === 'pass' ? 'pass' : 'PreconditionFailed',
    );
  });

  it('does not look at conditions of the target', () => {
    expect(outcome(() => checkCopyConditions(request({ 'if-match': '"x"' }), object))).toBe('pass');
  });
});

describe('writing', () => {
  it.each<[string, Headers, StoredObject | undefined, string]>([
    ['no condition, over an object', {}, object, 'pass'],
    ['no condition, where nothing is', {}, undefined, 'pass'],
    ['If-None-Match: * where nothing is', { 'if-none-match': '*' }, undefined, 'pass'],
    ['If-None-Match: * over an object', { 'if-none-match': '*' }, object, 'PreconditionFailed'],
    ['If-None-Match of a tag', { 'if-none-match': '"x"' }, undefined, 'NotImplemented'],
    ['If-Match of the same', { 'if-match': '"abc"' }, object, 'pass'],
    ['If-Match of another', { 'if-match': '"x"' }, object, 'PreconditionFailed'],
    ['If-Match where nothing is', { 'if-match': '"abc"' }, undefined, 'NoSuchKey'],
  ])('%s', (_name, headers, current, wanted) => {
    expect(outcome(() => checkWriteConditions(request(headers), current))).toBe(wanted);
  });
});

describe('deleting', () => {
  it.each<[string | undefined, StoredObject | undefined, string]>([
    [undefined, object, 'pass'],
    ['"abc"', object, 'pass'],
    ['"x"', object, 'PreconditionFailed'],
    ['"x"', undefined, 'pass'],
  ])('with If-Match %s', (ifMatch, current, wanted) => {
    expect(outcome(() => checkDeleteCondition(ifMatch, current))).toBe(wanted);
  });
});

describe('If-Range', () => {
  it.each<[Headers, boolean]>([
    [{}, true],
    [{ 'if-range': '"abc"' }, true],
    [{ 'if-range': '"x"' }, false],
    [{ 'if-range': 'W/"abc"' }, false],
    [{ 'if-range': SAVED }, true],
    [{ 'if-range': BEFORE }, false],
    [{ 'if-range': 'soon' }, false],
  ])('%j: %s', (headers, valid) => {
    expect(rangeStillValid(request(headers), object)).toBe(valid);
  });
});
