/** What a JSON body may hold is known before anything is made of it. */
import { describe, expect, test } from 'vitest';
import { parseJson } from '../../../api/json-body.ts';
import { NamespaceBody } from '../../../api/metadefs/definition-schemas.ts';
import { bodyOf } from '../../../api/metadefs/read-body.ts';
import { InvalidInput } from '../../../core/errors.ts';

const nested = (levels: number, inside = '') => `${'['.repeat(levels)}${inside}${']'.repeat(levels)}`;
const array = (values: number) => `[${'0,'.repeat(values - 1)}0]`;

describe('a JSON body', () => {
  test.each([
    ['64 levels', nested(64)],
    ['brackets and commas in strings', JSON.stringify({ text: `${'[{,'.repeat(60_000)}\\"` })],
    ['a backslash before the end of a string', '{"a":"\\\\","b":"\\\\\\""}'],
    ['many values', array(40_000)],
  ])('may have %s', (_, text) => {
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });

  test.each([
    ['65 levels', nested(65), 'InvalidInput', /64 levels/],
    ['65 levels and no end', '['.repeat(65), 'InvalidInput', /64 levels/],
    ['levels of objects', `${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, 'InvalidInput', /64 levels/],
    ['more values than a request may have', array(60_000), 'LimitExceeded', /50000/],
    ['more empty objects than a request may have', `[${'{},'.repeat(50_000)}{}]`, 'LimitExceeded', /50000/],
    ['more bytes than a request may have', JSON.stringify('é'.repeat(2 * 1024 * 1024)), 'LimitExceeded', /4194304/],
    ['a string without an end', `"${'\\"'.repeat(200_000)}`, 'InvalidInput', /Malformed/],
    ['nothing', '', 'InvalidInput', /missing/],
  ])('may not have %s', (_, text, kind, message) => {
    expect(() => parseJson(text)).toThrow(expect.objectContaining({ kind, message: expect.stringMatching(message) }));
  });
});

test('a catalog body with long names around many values is read in time that grows with its length', () => {
  const key = 'k'.repeat(500_000);
  const body = { namespace: 'n', properties: { [key]: { title: 't', type: 'string', enum: Array(30_000).fill('x') } } };
  const began = process.cpuUsage();

  expect(() => bodyOf(body, NamespaceBody)).toThrow(InvalidInput);
  expect(process.cpuUsage(began).user).toBeLessThan(3_000_000);
});
