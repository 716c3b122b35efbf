import { describe, expect, it } from 'vitest';
import { findPath, noResult, notFound, parsePath, writePath } from '../../../../local/stepfunctions/json-path.ts';
import type { Json } from '../../../../local/wire/json.ts';

const DOCUMENT: Json = {
  a: { b: [10, 20, 30, 40], 'c d': 'spaced', $x_1: true },
  list: [{ n: 1 }, { n: 2 }, { m: 3 }],
  größe: 5,
  nothing: null,
};

describe('findPath', () => {
  it.each<[string, Json | undefined]>([
    ['$', DOCUMENT],
    ['$.a.b', [10, 20, 30, 40]],
    ['$.a.b[0]', 10],
    ['$.a.b[-1]', 40],
    ['$.a.b[9]', undefined],
    ["$.a['c d']", 'spaced'],
    ['$["a"]["c d"]', 'spaced'],
    ['$.a.$x_1', true],
    ['$.größe', 5],
    ['$.nothing', null],
    ['$.gone', undefined],
    ['$.gone.deeper', undefined],
    ['$.nothing.deeper', undefined],
    ['$.toString', undefined],
    ['$.a[0]', undefined],
    ['$.a.b.length', undefined],
    ['$.list[*].n', [1, 2]],
    ['$.list.*.n', [1, 2]],
    ['$.a.b[*]', [10, 20, 30, 40]],
    ['$.a.b[1:3]', [20, 30]],
    ['$.a.b[:2]', [10, 20]],
    ['$.a.b[2:]', [30, 40]],
    ['$.a.b[-2:]', [30, 40]],
    ['$.a[1:2]', []],
    ['$.a.b[0,2]', [10, 30]],
    ['$.a.b[0 , 2]', [10, 30]],
    ["$['nothing','größe']", [null, 5]],
    ['$.list[0][*]', [1]],
    ['$.größe[*]', []],
    ['$..n', [1, 2]],
    ['$..[0]', [10, { n: 1 }]],
    ['$.list..', [[{ n: 1 }, { n: 2 }, { m: 3 }]]],
  ])('%s', (path, value) => {
    expect(findPath(path, DOCUMENT)).toEqual(value);
  });

  it.each<[string, Json]>([
    ['$[12]', 12],
    ['$[-12]', 18],
    ['$[10:13]', [10, 11, 12]],
    ['$[-12:-10]', [18, 19]],
    ['$[-1,12]', [29, 12]],
    ['$[10,-11]', [10, 19]],
    ['$[1,2,3]', [1, 2, 3]],
    ['$[1  ,  2]', [1, 2]],
    ['$[01]', 1],
  ])('numbers of more than one digit, and below zero: %s', (path, value) => {
    expect(
      findPath(
        path,
        Array.from({ length: 30 }, (_, n) => n),
      ),
    ).toEqual(value);
  });

  it.each<[string, Json]>([
    [`$["it's"]`, 1],
    [`$['say "so"']`, 2],
    [`$["it's",'say "so"','']`, [1, 2, 3]],
    [`$['1']`, 4],
    ['$.a-b_1', 5],
    ['$..a-b_1', [5]],
  ])('names with quotes, digits, dashes, and without anything: %s', (path, value) => {
    expect(findPath(path, { "it's": 1, 'say "so"': 2, '': 3, 1: 4, 'a-b_1': 5 })).toEqual(value);
  });

  it('tells every match below, at any depth', () => {
    expect(findPath('$..*', { a: { b: 1 } })).toEqual([{ b: 1 }, 1]);
  });
});

describe('parsePath', () => {
  it.each(['a.b', '', 'x$'])('refuses %j, which does not begin with $', (path) => {
    expect(() => parsePath(path)).toThrow(`States.Runtime: '${path}' is not a JSONPath`);
  });

  it.each([
    ['$.', 2],
    ['$a', 2],
    ['$.a b', 4],
    ['$[', 2],
    ['$.a[?(@.b)]', 4],
    ["$['a]", 2],
    ['$.a[1', 4],
    ['$.1', 2],
  ])('refuses %s at character %i', (path, at) => {
    expect(() => parsePath(path)).toThrow(`States.Runtime: cannot read the JSONPath '${path}' at character ${at}`);
  });

  it.each([
    ['$', true],
    ['$.a[0]', true],
    ["$['a']", true],
    ['$.a[*]', false],
    ['$.a[0,1]', false],
    ['$.a[0:1]', false],
    ['$..a', false],
  ])('%s names one place: %s', (path, isReference) => {
    expect(parsePath(path).isReference).toBe(isReference);
    expect(parsePath(path)).toBe(parsePath(path));
  });
});

// The words of AWS's own answers.
describe('a path that leads nowhere', () => {
  it('is named with its field and the input', () => {
    expect(notFound('$.x', 'value.$', { a: 1 })).toMatchObject({
      error: 'States.Runtime',
      causeText: `The JSONPath '$.x' specified for the field 'value.$' could not be found in the input '{"a":1}'`,
    });
    expect(notFound('$.x', 'value.$', 'y'.repeat(300_000)).causeText?.length).toBeLessThan(31_000);
  });

  it.each<[string, Json, string]>([
    ['$.NoSuchInputPath', {}, "No results for path: $['NoSuchInputPath']"],
    ['$.a.b', { a: {} }, "No results for path: $['a']['b']"],
    ['$.a[7]', { a: [] }, "No results for path: $['a'][7]"],
    ['$.no.such.result.path', {}, "Missing property in path $['no']"],
    ['$.a.no.such', { a: {} }, "Missing property in path $['a']['no']"],
  ])('%s in %j', (path, document, text) => {
    expect(noResult(path, document)).toMatchObject({
      error: 'States.Runtime',
      causeText: `Invalid path '${path}' : ${text}`,
    });
  });
});

describe('writePath', () => {
  it.each<[string, Json, Json]>([
    ['$', { a: 1 }, 'v'],
    ['$.a', { a: 'v', b: 2 }, { a: 1, b: 2 }],
    ['$.new', { new: 'v' }, {}],
    ['$.new.deep', { new: { deep: 'v' } }, {}],
    ['$.a.b', { a: { b: 'v', c: 1 } }, { a: { c: 1 } }],
    ['$.a.b', { a: { b: 'v' } }, { a: null }],
    ['$.a', { a: 'v' }, { a: 5 }],
    ['$.l[1]', { l: [1, 'v', 3] }, { l: [1, 2, 3] }],
    ['$.l[0].n', { l: [{ n: 'v', m: 1 }] }, { l: [{ n: 0, m: 1 }] }],
  ])('%s makes %j of %j', (path, wanted, document) => {
    const before = structuredClone(document);

    expect(writePath(path, document, 'v')).toEqual(path === '$' ? 'v' : wanted);
    expect(document).toEqual(before);
  });

  it.each<[string, Json]>([
    ['$.a.b', { a: 5 }],
    ['$.a.b', { a: [1] }],
    ['$.a', 'text'],
    ['$.a[0]', { a: {} }],
    ['$[0]', {}],
  ])('refuses %s in %j', (path, document) => {
    expect(() => writePath(path, document, 'v')).toThrow(
      expect.objectContaining({
        error: 'States.ResultPathMatchFailure',
        causeText: `Unable to apply the ReferencePath ${path} to the input`,
      }),
    );
  });

  it('refuses a path that may name several places', () => {
    expect(() => writePath('$.a[*]', { a: [] }, 'v')).toThrow("'$.a[*]' is not a reference path");
  });
});
