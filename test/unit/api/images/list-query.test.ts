import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitValues } from '../../../../api/images/filter-values.ts';
import { parseListQuery } from '../../../../api/images/list-query.ts';
import { parseTimeFilter } from '../../../../api/images/time-filter.ts';
import { pageLinks } from '../../../../api/page-links.ts';
import { InvalidInput } from '../../../../core/errors.ts';

const config = { limit_param_default: 25, api_limit_max: 1000 };
const parse = (query: string) => parseListQuery(new URLSearchParams(query), config);

describe('sort terms', () => {
  test.each([
    ['', 'createdAt:desc id:desc'],
    ['sort_dir=asc', 'createdAt:asc id:asc'],
    ['sort_key=name', 'name:desc createdAt:desc id:desc'],
    ['sort_key=name&sort_dir=asc', 'name:asc createdAt:asc id:asc'],
    ['sort_key=name&sort_key=id&sort_dir=asc', 'name:asc id:asc createdAt:asc'],
    ['sort_key=name&sort_key=size&sort_dir=asc&sort_dir=desc', 'name:asc size:desc createdAt:desc id:desc'],
    ['sort=name:asc,created_at', 'name:asc createdAt:desc id:desc'],
    ['sort=name:asc', 'name:asc createdAt:asc id:asc'],
  ])('%s', (query, expected) => {
    expect(
      parse(query)
        .sort.map(({ key, direction }) => `${key}:${direction}`)
        .join(' '),
    ).toBe(expected);
  });
});

describe('values of in:', () => {
  test.each([
    ['a,b', ['a', 'b']],
    ['"a,b",c', ['a,b', 'c']],
    ['"a\\"b"', ['a"b']],
    ['', ['']],
    ['a', ['a']],
  ])('%s', (text, expected) => {
    expect(splitValues('name', text)).toEqual(expected);
  });

  test('survive quoting', () => {
    const value = fc.string().filter((text) => !text.includes('\\'));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), (values) => {
        const text = values.map((each) => `"${each.replaceAll('"', '\\"')}"`).join(',');
        expect(splitValues('name', text)).toEqual(values);
      }),
    );
  });
});

test.each([
  ['2016-04-18T21:38:54Z', '2016-04-18T21:38:54'],
  ['2016-04-18', '2016-04-18T00:00:00'],
  ['2016-04-18T21:38:54', '2016-04-18T21:38:54'],
  ['2016-04-18T21:38:54.999Z', '2016-04-18T21:38:54'],
  ['2016-04-18T23:38:54+02:00', '2016-04-18T21:38:54'],
  ['2016-04-18T23:38:54+0200', '2016-04-18T21:38:54'],
  ['2016-04-18 21:38:54', '2016-04-18T21:38:54'],
  ['20160418T213854Z', '2016-04-18T21:38:54'],
  ['20160418T213854-0030', '2016-04-18T22:08:54'],
  ['20160418', '2016-04-18T00:00:00'],
  ['2024-02-29', '2024-02-29T00:00:00'],
])('time %s compares as %s', (text, expected) => {
  expect(parseTimeFilter('createdAt', 'created_at', text)).toEqual({
    kind: 'equal',
    attribute: 'createdAt',
    values: [expected],
  });
});

test('any query gives a request or InvalidInput', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.string())), (pairs) => {
      try {
        parseListQuery(new URLSearchParams(pairs), config);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidInput);
      }
    }),
  );
});

test('links keep what was asked and replace the marker', () => {
  const query = new URLSearchParams('limit=2&marker=old&tag=a&tag=b');
  expect(pageLinks('/v2/images', query, 'new')).toEqual({
    first: '/v2/images?limit=2&tag=a&tag=b',
    next: '/v2/images?limit=2&tag=a&tag=b&marker=new',
  });
  expect(pageLinks('/v2/images', new URLSearchParams(), undefined)).toEqual({ first: '/v2/images' });
});

describe('a query that asks for more than a list may cost', () => {
  const settings = { limit_param_default: 25, api_limit_max: 1000 };
  const read = (text: string) => parseListQuery(new URLSearchParams(text), settings);

  test('is refused for the values of one filter', () => {
    const values = (count: number) => Array.from({ length: count }, (_, n) => n).join(',');

    expect(read(`name=in:${values(300)}`).filters).toHaveLength(2);
    expect(() => read(`name=in:${values(301)}`)).toThrow(/at most 300 are allowed/);
  });

  test('is refused for the number of its filters', () => {
    expect(() => read('key=v&'.repeat(101))).toThrow(/at most 100 are allowed/);
  });

  test('sorts once by a key that is named many times', () => {
    expect(read(`sort=${'name:asc,'.repeat(500)}name:desc`).sort).toHaveLength(3);
  });
});

test.each([
  ...['2026-02-30', '2026-02-30T00:00:00Z', '2023-02-29', '2026-04-31T01:00', '2026-13-01', '2026-00-10', '2026-01-00'],
  ...['2026-01-01T24:00:00Z', '2026-01-01T23:60:00Z', '2026-01-01T23:59:60Z', '2026-01-01T00:00:00+24:00'],
  ...['2026-01-01T00:00:00+00:60', '0000-01-01', '9999-12-31T23:59:59-01:00', '0001-01-01T00:00:00+01:00', '2026'],
])('%s is no time', (text) => {
  expect(() => parseTimeFilter('createdAt', 'created_at', `gt:${text}`)).toThrow(InvalidInput);
});
