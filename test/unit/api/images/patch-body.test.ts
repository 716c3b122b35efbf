import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCreate } from '../../../../api/images/create-body.ts';
import { parsePatch, patchLanguage } from '../../../../api/images/patch-body.ts';
import { baseDefinitions } from '../../../../api/schemas/image-properties.ts';
import { parseConfig } from '../../../../core/config.ts';
import { Forbidden, InvalidInput } from '../../../../core/errors.ts';

const definitions = baseDefinitions(parseConfig({ stores: [{ id: 'a', bucket: 'bucket' }] }));
const v21 = patchLanguage('application/openstack-images-v2.1-json-patch; charset=utf-8');
const v20 = patchLanguage('application/openstack-images-v2.0-json-patch');

describe('patches', () => {
  test('both languages give the same changes, but for strictness', () => {
    const [a] = parsePatch(v21, [{ op: 'add', path: '/os_hidden', value: true }], definitions);
    const [b] = parsePatch(v20, [{ add: '/os_hidden', value: true }], definitions);
    expect(a).toEqual({ kind: 'base', op: 'add', strict: false, name: 'os_hidden', attribute: 'hidden', value: true });
    expect(b).toEqual({ ...a, strict: true });
  });

  test.each([
    ['/a~1b', 'a/b'],
    ['/a~0b', 'a~b'],
    ['/a~01', 'a~1'],
    ['/ a ', 'a'],
    ['/ü', 'ü'],
    ['/__proto__', '__proto__'],
    ['/constructor', 'constructor'],
    ['/hasOwnProperty', 'hasOwnProperty'],
  ])('pointer %s names %s', (path, name) => {
    const [change] = parsePatch(v21, [{ op: 'add', path, value: 'x' }], definitions);
    expect(change).toMatchObject({ kind: 'property', name, value: 'x' });
  });

  test('any JSON gives changes or an error of ours', () => {
    const element = fc.oneof(
      fc.jsonValue(),
      fc.record({
        op: fc.constantFrom('add', 'replace', 'remove'),
        path: fc.string().map((p) => `/${p}`),
        value: fc.jsonValue(),
      }),
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.array(element)), (body) => {
        expectOurs(() => parsePatch(v21, body, definitions));
        expectOurs(() => parsePatch(v20, body, definitions));
      }),
    );
  });
});

describe('create bodies', () => {
  test('wire names become attributes, the rest properties; a prototype is only a name', () => {
    const body = JSON.parse(
      '{"os_hidden":true,"min_disk":1,"__proto__":"p","id":"AAAAAAAA-0000-4000-8000-000000000000"}',
    );
    const parsed = parseCreate(body, definitions);
    expect(parsed).toMatchObject({
      hidden: true,
      minDisk: 1,
      id: 'AAAAAAAA-0000-4000-8000-000000000000',
      computed: [],
    });
    expect(Object.entries(parsed.properties)).toEqual([['__proto__', 'p']]);
  });

  test('any JSON gives an image or an error of ours', () => {
    fc.assert(fc.property(fc.jsonValue(), (body) => expectOurs(() => parseCreate(body, definitions))));
  });
});

function expectOurs(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    expect(error instanceof InvalidInput || error instanceof Forbidden).toBe(true);
  }
}
