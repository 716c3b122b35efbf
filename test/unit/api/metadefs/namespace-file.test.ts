import { describe, expect, test } from 'vitest';
import { namespaceFileName, namespaceFileText, parseNamespaceFile } from '../../../../api/metadefs/namespace-file.ts';

const parse = (value: unknown) =>
  parseNamespaceFile(typeof value === 'string' ? value : JSON.stringify(value), 'f.json');

describe('reading', () => {
  test('owner is the literal admin unless the file names one; nulls, answers’ keys and required are dropped', () => {
    const file = parse({
      namespace: 'N',
      description: null,
      visibility: null,
      created_at: '2026',
      self: '/x',
      resource_type_associations: [{ name: 'R', prefix: null, created_at: 'x' }],
      objects: [{ name: 'o', description: null, required: ['p'], schema: 'x' }],
    });
    expect(file).toEqual({
      namespace: 'N',
      owner: 'admin',
      resource_type_associations: [{ name: 'R' }],
      objects: [{ name: 'o' }],
    });
    expect(parse({ namespace: 'N', owner: 'p' }).owner).toBe('p');
  });

  test.each([
    ['{', /^f\.json: .*JSON/],
    ['[]', /^f\.json: .*object/],
    [{}, /^f\.json: .*'namespace'/],
    [{ namespace: 'N', x: 1 }, /^f\.json: .*x/],
    [
      { namespace: 'N', properties: { p: { title: 't', type: 'string', minLength: 'x' } } },
      /'properties\.p\.minLength'/,
    ],
    [
      { namespace: 'N', objects: [{ name: 'o', properties: { p: { type: 'string' } } }] },
      /'objects\.0\.properties\.p\.title'/,
    ],
    [{ namespace: 'N', tags: [{ name: 'ok' }, { name: 3 }] }, /'tags\.1\.name'/],
    ['{"namespace":"N","properties":{"__proto__":{"title":"t","type":"string"}}}', /'__proto__' cannot be the name/],
    [
      '{"namespace":"N","properties":{"constructor":{"title":"t","type":"string"}}}',
      /'constructor' cannot be the name/,
    ],
  ])('%j is refused with file, place and reason', (value, message) => {
    expect(() => parse(value)).toThrow(message);
  });
});

describe('writing', () => {
  test('is what reading takes, with empty collections and nothing that only the service sets', () => {
    const text = namespaceFileText({ namespace: 'N', visibility: 'private', protected: false });
    expect(JSON.parse(text)).toEqual({
      namespace: 'N',
      visibility: 'private',
      protected: false,
      resource_type_associations: [],
      properties: {},
      objects: [],
      tags: [],
    });
    expect(namespaceFileText({ ...parse(text), visibility: 'private', protected: false })).toBe(text);
  });

  test.each([
    [{ namespace: 'OS::Compute::X', display_name: 'A_b & c-1' }, 'Abc1.json'],
    [{ namespace: 'OS::Compute::X' }, 'OSComputeX.json'],
    [{ namespace: '::', display_name: '&' }, 'namespace.json'],
    [{ namespace: '..', display_name: '../../etc/x' }, 'etcx.json'],
  ])('%j is written to %s', (shown, name) => {
    expect(namespaceFileName(shown)).toBe(name);
  });
});
