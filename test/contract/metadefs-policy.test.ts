import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parsePolicyFile } from '../../core/policy/policy-file.ts';
import { type CallerName, startImagesApi } from '../support/images-api.ts';
import { type MetadefsApi, startMetadefsApi } from '../support/metadefs-api.ts';

const ROOT = '/v2/metadefs/namespaces';
const POLICIES = join(import.meta.dirname, '../../docs/operations/policies');
const overridesOf = (name: string) => {
  const file = join(POLICIES, name);
  return { overrides: parsePolicyFile(readFileSync(file, 'utf8'), file) };
};

const PROPERTY = { title: 't', type: 'string' };
const CONTENT = {
  properties: { p: PROPERTY },
  objects: [{ name: 'o' }],
  tags: [{ name: 't' }],
  resource_type_associations: [{ name: 'R', prefix: 'x_' }],
};

/** What every caller tries, on a namespace `{ns}`; each leaves things as the next needs them. */
const READS: readonly [string, string][] = [
  ['GET', '{ns}'],
  ['GET', '{ns}/resource_types'],
  ['GET', '{ns}/properties'],
  ['GET', '{ns}/properties/p'],
  ['GET', '{ns}/properties/x_p?resource_type=R'],
  ['GET', '{ns}/objects'],
  ['GET', '{ns}/objects/o'],
  ['GET', '{ns}/tags'],
  ['GET', '{ns}/tags/t'],
];
const WRITES: readonly [string, string, unknown?][] = [
  ['PUT', '{ns}/properties/p', { name: 'p', ...PROPERTY }],
  ['POST', '{ns}/properties', { name: 'q', ...PROPERTY }],
  ['DELETE', '{ns}/properties/q'],
  ['PUT', '{ns}/objects/o', { name: 'o' }],
  ['POST', '{ns}/objects', { name: 'q' }],
  ['DELETE', '{ns}/objects/q'],
  ['POST', '{ns}/tags/q'],
  ['PUT', '{ns}/tags/q', { name: 'r' }],
  ['DELETE', '{ns}/tags/r'],
  ['POST', '{ns}/tags', { tags: [{ name: 't' }] }],
  ['POST', '{ns}/resource_types', { name: 'S' }],
  ['DELETE', '{ns}/resource_types/S'],
  ['DELETE', '{ns}/properties'],
  ['DELETE', '{ns}/objects'],
  ['DELETE', '{ns}/tags'],
];

type Expected = 'passes' | 403 | 404;
interface Row {
  readonly as: CallerName;
  readonly list: Expected;
  readonly create: Expected;
  /** On a public namespace of the admin, a private one of the admin, a private one of project demo. */
  readonly reads: readonly [Expected, Expected, Expected];
  readonly writes: readonly [Expected, Expected, Expected];
}

const row = (
  as: CallerName,
  list: Expected,
  create: Expected,
  reads: Row['reads'],
  writes: Row['writes'],
): [CallerName, Row] => [as, { as, list, create, reads, writes }];
const ADMIN = row('admin', 'passes', 'passes', ['passes', 'passes', 'passes'], ['passes', 'passes', 'passes']);

const SETS: readonly [string, string | undefined, readonly [CallerName, Row][]][] = [
  [
    'the defaults',
    undefined,
    [
      ADMIN,
      row('demo', 'passes', 403, ['passes', 404, 'passes'], [403, 404, 403]),
      row('reader', 'passes', 403, ['passes', 404, 'passes'], [403, 404, 403]),
      row('third', 'passes', 403, ['passes', 404, 404], [403, 404, 404]),
      row('unscoped', 403, 403, [404, 404, 404], [404, 404, 404]),
    ],
  ],
  [
    'readable (RHOSP 16.2)',
    'metadefs-readable.yaml',
    [
      ADMIN,
      row('demo', 'passes', 403, ['passes', 404, 'passes'], [403, 404, 403]),
      row('third', 'passes', 403, ['passes', 404, 404], [403, 404, 404]),
      row('unscoped', 'passes', 403, ['passes', 404, 404], [403, 404, 404]),
    ],
  ],
  [
    'locked down',
    'metadefs-locked-down.yaml',
    [
      ADMIN,
      row('demo', 403, 403, [404, 404, 404], [404, 404, 404]),
      row('reader', 403, 403, [404, 404, 404], [404, 404, 404]),
      row('third', 403, 403, [404, 404, 404], [404, 404, 404]),
    ],
  ],
  [
    'open',
    'metadefs-open.yaml',
    [
      ADMIN,
      row('demo', 'passes', 'passes', ['passes', 404, 'passes'], ['passes', 404, 'passes']),
      row('reader', 'passes', 'passes', ['passes', 404, 'passes'], ['passes', 404, 'passes']),
      row('third', 'passes', 'passes', ['passes', 404, 404], ['passes', 404, 404]),
    ],
  ],
];

describe.each(SETS)('under %s', (_, file, rows) => {
  let api: MetadefsApi;
  beforeAll(async () => {
    api = await startMetadefsApi({}, file === undefined ? {} : overridesOf(file));
  });
  afterAll(async () => {
    expect(api.errors).toEqual([]);
    await api.close();
  });

  test.each(rows)('%s', async (as, expected) => {
    const spaces = [
      { namespace: `${as} public`, visibility: 'public' },
      { namespace: `${as} private`, visibility: 'private' },
      { namespace: `${as} of demo`, visibility: 'private', owner: 'demo' },
    ];
    const check = async (outcome: Expected, method: string, path: string, body?: unknown) => {
      const { status, text } = await api.call(method, path, { as, body });
      const seen = status < 300 ? 'passes' : status;
      expect(seen, `${as}: ${method} ${path}: ${text}`).toBe(outcome);
    };
    for (const [at, space] of spaces.entries()) {
      await api.call('POST', ROOT, { as: 'admin', body: { ...space, ...CONTENT } });
      const path = `${ROOT}/${encodeURIComponent(space.namespace)}`;
      for (const [method, below] of READS) await check(expected.reads[at]!, method, below.replace('{ns}', path));
      for (const [method, below, body] of WRITES)
        await check(expected.writes[at]!, method, below.replace('{ns}', path), body);
      // An owner that stays the same is nobody's business; without one it becomes the caller's project.
      const owner = space.owner ?? 'admin';
      await check(expected.writes[at]!, 'PUT', path, {
        namespace: space.namespace,
        visibility: space.visibility,
        owner,
      });
      await check(expected.writes[at]!, 'DELETE', path);
    }
    await check(expected.list, 'GET', ROOT);
    await check(expected.list, 'GET', '/v2/metadefs/resource_types');
    await check(expected.create, 'POST', ROOT, { namespace: `${as} made`, ...CONTENT });
  });
});

describe('what no policy loosens', () => {
  test('nobody but an admin makes another project the owner', async () => {
    const api = await startMetadefsApi({}, overridesOf('metadefs-open.yaml'));

    const create = (as: CallerName, owner: string) =>
      api.call('POST', ROOT, { as, body: { namespace: `${as} for ${owner}`, owner } });
    expect((await create('demo', 'alt')).status).toBe(403);
    expect((await create('demo', 'demo')).status).toBe(201);
    expect((await create('admin', 'alt')).status).toBe(201);
    const path = `${ROOT}/${encodeURIComponent('demo for demo')}`;
    const body = { namespace: 'demo for demo', owner: 'alt' };
    expect((await api.call('PUT', path, { as: 'demo', body })).status).toBe(403);
    expect((await api.call('PUT', path, { as: 'admin', body })).status).toBe(200);
    expect((await api.call('GET', path, { as: 'demo' })).status).toBe(404);
    await api.close();
  });
});

describe('limits per project', () => {
  const LIMITS = {
    metadef_namespace_quota: 2,
    metadef_property_quota: 3,
    metadef_object_quota: 1,
    metadef_tag_quota: 3,
    metadef_resource_type_quota: 2,
  };
  let api: MetadefsApi;
  beforeAll(async () => {
    api = await startMetadefsApi(LIMITS, overridesOf('metadefs-open.yaml'));
  });
  afterAll(async () => {
    expect(api.errors).toEqual([]);
    await api.close();
  });
  const call = (method: string, path: string, body?: unknown, as: CallerName = 'demo') =>
    api.call(method, ROOT + path, { as, body });
  const property = (name: string) => ({ name, ...PROPERTY });

  test('each is 413 with limit and use in the message, and frees what is removed', async () => {
    expect((await call('POST', '', { namespace: 'a' })).status).toBe(201);
    expect((await call('POST', '', { namespace: 'b' })).status).toBe(201);
    const third = await call('POST', '', { namespace: 'c' });
    expect(third.status).toBe(413);
    expect(third.text).toContain('may hold 2 metadata namespaces; it holds 2, 1 more were asked for');
    expect((await call('GET', '/c')).status).toBe(404);
    expect((await call('POST', '', { namespace: 'c' }, 'alt')).status).toBe(201);

    for (const [n, ns] of ['a', 'b', 'a'].entries())
      expect((await call('POST', `/${ns}/properties`, property(`p${n}`))).status).toBe(201);
    expect((await call('POST', '/b/properties', property('p9'))).status).toBe(413);
    expect((await call('GET', '/b/properties/p9')).status).toBe(404);
    expect((await call('DELETE', '/a/properties/p0')).status).toBe(204);
    expect((await call('POST', '/b/properties', property('p9'))).status).toBe(201);
    expect((await call('DELETE', '/b/properties')).status).toBe(204);
    expect((await call('POST', '/a/properties', property('p8'))).status).toBe(201);

    expect((await call('POST', '/a/objects', { name: 'o' })).status).toBe(201);
    expect((await call('POST', '/a/objects', { name: 'o2' })).status).toBe(413);

    const tags = (...names: string[]) => ({ tags: names.map((name) => ({ name })) });
    expect((await call('POST', '/a/tags', tags('1', '2'))).status).toBe(201);
    expect((await call('POST', '/b/tags', tags('1', '2'))).status).toBe(413);
    expect((await call('GET', '/b/tags')).body).toEqual({ tags: [] });
    expect((await call('POST', '/a/tags', tags('3', '4', '5'))).status).toBe(201);
    expect((await call('POST', '/a/tags/6')).status).toBe(413);

    expect((await call('POST', '/a/resource_types', { name: 'R1' })).status).toBe(201);
    expect((await call('POST', '/a/resource_types', { name: 'R2' })).status).toBe(201);
    expect((await call('DELETE', '/a/resource_types/R2')).status).toBe(204);
    expect((await call('POST', '/a/resource_types', { name: 'R3' })).status).toBe(413);
    expect((await call('POST', '/b/resource_types', { name: 'R2' })).status).toBe(201);

    expect((await call('DELETE', '/a')).status).toBe(204);
    const body = {
      namespace: 'd',
      properties: { p1: PROPERTY, p2: PROPERTY, p3: PROPERTY },
      objects: [{ name: 'o' }],
      tags: [{ name: '1' }, { name: '2' }, { name: '3' }],
      resource_type_associations: [{ name: 'R1' }],
    };
    expect((await call('POST', '', body)).status).toBe(201);
  });

  test('many at once do not pass a limit', async () => {
    const own = await startMetadefsApi({ metadef_namespace_quota: 3 });
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => own.call('POST', ROOT, { as: 'admin', body: { namespace: `n${n}` } })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 413, 413, 413, 413, 413]);
    await own.close();
  });

  test('a new owner takes over what is counted', async () => {
    const own = await startMetadefsApi({ metadef_tag_quota: 2 });
    const make = (namespace: string, owner: string) =>
      own.call('POST', ROOT, { as: 'admin', body: { namespace, owner, tags: [{ name: '1' }, { name: '2' }] } });
    await make('x', 'demo');
    await make('y', 'alt');
    const give = (owner: string) => own.call('PUT', `${ROOT}/x`, { as: 'admin', body: { namespace: 'x', owner } });

    expect((await give('alt')).status).toBe(413);
    expect((await give('third')).status).toBe(200);
    expect((await make('z', 'demo')).status).toBe(201);
    expect((await give('third')).status).toBe(200);
    await own.close();
  });

  test('a negative limit is none, zero allows nothing', async () => {
    const own = await startMetadefsApi({ metadef_tag_quota: -1, metadef_property_quota: 0 });
    const tags = Array.from({ length: 50 }, (_, n) => ({ name: `t${n}` }));
    expect((await own.call('POST', ROOT, { as: 'admin', body: { namespace: 'n', tags } })).status).toBe(201);
    const refused = await own.call('POST', `${ROOT}/n/properties`, { as: 'admin', body: property('p') });
    expect(refused.status).toBe(413);
    await own.close();
  });
});

test('the image routes do not answer for the catalog', async () => {
  const images = await startImagesApi();
  expect((await images.call('GET', ROOT, { as: 'admin' })).status).toBe(404);
  await images.close();
});
