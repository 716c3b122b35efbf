import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CallerName } from '../support/images-api.ts';
import { type MetadefsApi, startMetadefsApi } from '../support/metadefs-api.ts';

let api: MetadefsApi;
beforeAll(async () => {
  api = await startMetadefsApi();
});
afterAll(async () => {
  expect(api.errors).toEqual([]);
  await api.close();
});

const ROOT = '/v2/metadefs/namespaces';
let made = 0;
/** A namespace under a new name. */
async function create(body: object = {}, as: CallerName = 'admin'): Promise<string> {
  made += 1;
  const namespace = `Test::${made}`;
  const answer = await api.call('POST', ROOT, { as, body: { namespace, ...body } });
  expect(answer.status, answer.text).toBe(201);
  return answer.body.namespace;
}
const at = (name: string) => `${ROOT}/${encodeURIComponent(name)}`;

const WHOLE = {
  display_name: 'Whole',
  description: 'everything',
  visibility: 'public',
  protected: false,
  resource_type_associations: [
    { name: 'OS::Glance::Image', prefix: 'hw_' },
    { name: 'OS::Cinder::Volume', prefix: 'hw_', properties_target: 'image' },
    { name: 'OS::Nova::Flavor' },
  ],
  properties: {
    cpu_cores: { title: 'Cores', type: 'integer', minimum: 1, operators: ['<or>'], default: 1 },
    bus: { title: 'Bus', type: 'string', enum: ['ide', 'virtio'] },
  },
  objects: [
    { name: 'limits', description: 'd', required: ['a'], properties: { a: { title: 'A', type: 'string' } } },
    { name: 'bare' },
  ],
  tags: [{ name: 'x y' }, { name: 'ü' }],
};

describe('POST /v2/metadefs/namespaces', () => {
  test('answers what was sent, with defaults, links and Location', async () => {
    const answer = await api.call('POST', ROOT, { as: 'admin', body: { namespace: 'OS::A b.c', ...WHOLE } });

    expect(answer.status).toBe(201);
    expect(answer.headers['location']).toBe('http://glimpse.example.org/v2/metadefs/namespaces/OS::A%20b.c');
    expect(answer.body).toEqual({
      namespace: 'OS::A b.c',
      ...WHOLE,
      owner: 'admin',
      created_at: expect.stringMatching(/^2026-05-05T\d\d:\d\d:\d\dZ$/),
      updated_at: answer.body.created_at,
      self: '/v2/metadefs/namespaces/OS::A b.c',
      schema: '/v2/schemas/metadefs/namespace',
    });
  });

  test('an empty one is private, unprotected and of the caller', async () => {
    const answer = await api.call('POST', ROOT, { as: 'admin', body: { namespace: 'Empty' } });

    expect(answer.body).toEqual({
      namespace: 'Empty',
      visibility: 'private',
      protected: false,
      owner: 'admin',
      created_at: expect.any(String),
      updated_at: expect.any(String),
      self: '/v2/metadefs/namespaces/Empty',
      schema: '/v2/schemas/metadefs/namespace',
    });
    expect((await api.call('GET', at('Empty'), { as: 'admin' })).body).toEqual(answer.body);
  });

  const property = { title: 't', type: 'string' };
  test.each<[string, unknown, number]>([
    ['no body', undefined, 400],
    ['malformed JSON', '{"namespace":', 400],
    ['an array', [], 400],
    ['a scalar', '3', 400],
    ['no name', {}, 400],
    ['an empty name', { namespace: '' }, 400],
    ['a name that is no string', { namespace: 3 }, 400],
    ['81 characters', { namespace: 'n'.repeat(81) }, 400],
    ['256 characters', { namespace: 'n'.repeat(256) }, 400],
    ['a slash', { namespace: 'a/b' }, 400],
    ['a dot only', { namespace: '..' }, 400],
    ['four bytes', { namespace: '🐙' }, 400],
    ['NUL', { namespace: 'a\u0000' }, 400],
    ['an unknown key', { namespace: 'n', color: 'red' }, 400],
    ['a read-only key', { namespace: 'n', created_at: 'x' }, 403],
    ['self', { namespace: 'n', self: '/x' }, 403],
    ['an unknown visibility', { namespace: 'n', visibility: 'shared' }, 400],
    ['a null', { namespace: 'n', description: null }, 400],
    ['a long description', { namespace: 'n', description: 'd'.repeat(501) }, 400],
    ['a long display name', { namespace: 'n', display_name: 'd'.repeat(81) }, 400],
    ['protected as text', { namespace: 'n', protected: 'true' }, 400],
    ['a property without title', { namespace: 'n', properties: { p: { type: 'string' } } }, 400],
    ['a property without type', { namespace: 'n', properties: { p: { title: 't' } } }, 400],
    ['a property of null type', { namespace: 'n', properties: { p: { title: 't', type: null } } }, 400],
    ['a property of unknown type', { namespace: 'n', properties: { p: { title: 't', type: 'text' } } }, 400],
    ['a property with an unknown key', { namespace: 'n', properties: { p: { ...property, x: 1 } } }, 400],
    ['a property with required', { namespace: 'n', properties: { p: { ...property, required: ['a'] } } }, 400],
    ['a pattern that is none', { namespace: 'n', properties: { p: { ...property, pattern: '(' } } }, 400],
    ['a negative length', { namespace: 'n', properties: { p: { ...property, minLength: -1 } } }, 400],
    ['a fractional length', { namespace: 'n', properties: { p: { ...property, maxLength: 1.5 } } }, 400],
    ['an enum of numbers', { namespace: 'n', properties: { p: { ...property, enum: [1] } } }, 400],
    ['items without type', { namespace: 'n', properties: { p: { ...property, items: { enum: ['a'] } } } }, 400],
    ['properties as a list', { namespace: 'n', properties: [] }, 400],
    ['a property name too long', { namespace: 'n', properties: { ['p'.repeat(81)]: property } }, 400],
    ['__proto__', '{"namespace":"n","properties":{"__proto__":{"title":"t","type":"string"}}}', 400],
    ['an object without name', { namespace: 'n', objects: [{}] }, 400],
    ['an object twice', { namespace: 'n', objects: [{ name: 'o' }, { name: 'o' }] }, 409],
    ['a tag without name', { namespace: 'n', tags: [{}] }, 400],
    ['a tag too long', { namespace: 'n', tags: [{ name: 't'.repeat(81) }] }, 400],
    ['a tag twice', { namespace: 'n', tags: [{ name: 't' }, { name: 't' }] }, 409],
    ['an association without name', { namespace: 'n', resource_type_associations: [{ prefix: 'p' }] }, 400],
    ['an association twice', { namespace: 'n', resource_type_associations: [{ name: 'R' }, { name: 'R' }] }, 409],
    [
      'a definition of more than 64 KiB',
      { namespace: 'n', properties: { p: { ...property, description: 'd'.repeat(65_536) } } },
      413,
    ],
    [
      `${'['.repeat(30)} in a default`,
      `{"namespace":"n","properties":{"p":{"title":"t","type":"array","default":${'['.repeat(60)}${']'.repeat(60)}}}}`,
      400,
    ],
  ])('refuses %s and makes nothing', async (_, body, status) => {
    const answer = await api.call('POST', ROOT, { as: 'admin', body });

    expect(answer.status, answer.text).toBe(status);
    expect((await api.call('GET', at('n'), { as: 'admin' })).status).toBe(404);
  });

  test('a name that is taken is 409 and the first stays as it was', async () => {
    const name = await create({ tags: [{ name: 'mine' }] });

    const answer = await api.call('POST', ROOT, { as: 'admin', body: { namespace: name, tags: [{ name: 'other' }] } });

    expect(answer.status).toBe(409);
    expect((await api.call('GET', at(name), { as: 'admin' })).body.tags).toEqual([{ name: 'mine' }]);
  });

  test('of many at once with one name, one wins', async () => {
    const body = { namespace: 'Race', properties: { p: { title: 't', type: 'string' } } };
    const answers = await Promise.all(Array.from({ length: 8 }, () => api.call('POST', ROOT, { as: 'admin', body })));

    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409, 409, 409]);
    expect(Object.keys((await api.call('GET', at('Race'), { as: 'admin' })).body.properties)).toEqual(['p']);
    expect(await api.deps.duties.due(Number.MAX_SAFE_INTEGER / 1000, 100)).toEqual([]);
  });

  test('a thousand properties and a thousand tags', async () => {
    const properties = Object.fromEntries(
      Array.from({ length: 1000 }, (_, n) => [
        `p${n}`,
        { title: `P ${n}`, type: 'string', description: 'd'.repeat(200) },
      ]),
    );
    const tags = Array.from({ length: 1000 }, (_, n) => ({ name: `t${n}` }));
    const name = await create({ properties, tags });

    const { body } = await api.call('GET', at(name), { as: 'admin' });
    expect(body.properties).toEqual(properties);
    expect(body.tags).toHaveLength(1000);
    expect((await api.call('DELETE', at(name), { as: 'admin' })).status).toBe(204);
    expect((await api.call('GET', at(name), { as: 'admin' })).status).toBe(404);
  });
});

describe('GET /v2/metadefs/namespaces/{ns}', () => {
  test('shows everything, times of associations and objects included', async () => {
    const name = await create(WHOLE);

    const { body } = await api.call('GET', at(name), { as: 'demo' });

    expect(body).toMatchObject({
      namespace: name,
      properties: WHOLE.properties,
      objects: [
        { name: 'bare', required: [], properties: {} },
        { ...WHOLE.objects[0], self: `${ROOT}/${name}/objects/limits`, schema: '/v2/schemas/metadefs/object' },
      ],
      tags: [{ name: 'x y' }, { name: 'ü' }],
    });
    expect(body.resource_type_associations[0]).toEqual({
      ...WHOLE.resource_type_associations[0],
      created_at: body.created_at,
      updated_at: body.created_at,
    });
  });

  test('puts the prefix of a resource type before names', async () => {
    const name = await create(WHOLE);

    const hardware = await api.call('GET', `${at(name)}?resource_type=OS::Glance::Image&x=1`, { as: 'demo' });
    expect(Object.keys(hardware.body.properties)).toEqual(['hw_bus', 'hw_cpu_cores']);
    expect(hardware.body.objects[1]).toMatchObject({ required: ['hw_a'], properties: { hw_a: { title: 'A' } } });
    for (const type of ['OS::Nova::Flavor', 'OS::Unknown']) {
      const plain = await api.call('GET', `${at(name)}?resource_type=${type}`, { as: 'demo' });
      expect(Object.keys(plain.body.properties)).toEqual(['bus', 'cpu_cores']);
    }
  });

  test.each<[string, string, number]>([
    ['unknown', 'Nope', 404],
    ['an encoded slash', 'a%2Fb', 404],
    ['no UTF-8', '%ff', 404],
    ['very long', 'x'.repeat(300), 404],
  ])('%s is %s → %i', async (_, segment, status) => {
    expect((await api.call('GET', `${ROOT}/${segment}`, { as: 'admin' })).status).toBe(status);
  });

  test('a body is refused', async () => {
    const name = await create();
    expect((await api.call('GET', at(name), { as: 'admin', body: '{}' })).status).toBe(400);
    expect((await api.call('DELETE', at(name), { as: 'admin', body: '{}' })).status).toBe(400);
  });
});

describe('PUT /v2/metadefs/namespaces/{ns}', () => {
  test('replaces the base fields, keeps what is nested, ignores nested keys', async () => {
    const name = await create({ ...WHOLE, owner: 'demo' });

    const answer = await api.call('PUT', at(name), {
      as: 'admin',
      body: { namespace: name, tags: [{ name: 'ignored' }], properties: { q: {} }, objects: [{ created_at: 'x' }] },
    });

    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({ namespace: name, visibility: 'private', protected: false, owner: 'admin' });
    expect(answer.body).not.toHaveProperty('description');
    const shown = (await api.call('GET', at(name), { as: 'admin' })).body;
    expect(shown.tags).toEqual(WHOLE.tags);
    expect(shown.properties).toEqual(WHOLE.properties);
    expect(shown.updated_at > shown.created_at).toBe(true);
  });

  test('renames with everything in it; the old name is free again', async () => {
    const name = await create({ tags: [{ name: 't' }] });
    const renamed = `${name} renamed`;

    const answer = await api.call('PUT', at(name), { as: 'admin', body: { namespace: renamed } });

    expect(answer.body.self).toBe(`${ROOT}/${renamed}`);
    expect((await api.call('GET', at(renamed), { as: 'admin' })).body.tags).toEqual([{ name: 't' }]);
    expect((await api.call('GET', at(name), { as: 'admin' })).status).toBe(404);
    expect((await api.call('POST', ROOT, { as: 'admin', body: { namespace: name } })).status).toBe(201);
  });

  test('a name that is taken is 409 and nothing changes', async () => {
    const [first, second] = [await create({ description: 'first' }), await create()];

    const answer = await api.call('PUT', at(first), { as: 'admin', body: { namespace: second } });

    expect(answer.status).toBe(409);
    expect((await api.call('GET', at(first), { as: 'admin' })).body.description).toBe('first');
  });

  test.each<[string, unknown, number]>([
    ['no name', {}, 400],
    ['a long name', { namespace: 'n'.repeat(81) }, 400],
    ['a read-only key', { namespace: 'n', schema: 'x' }, 403],
    ['an unknown key', { namespace: 'n', x: 1 }, 400],
  ])('refuses %s', async (_, body, status) => {
    const name = await create();
    expect((await api.call('PUT', at(name), { as: 'admin', body })).status).toBe(status);
  });

  test('a body that does not fit comes before an unknown namespace', async () => {
    expect((await api.call('PUT', at('Nope'), { as: 'admin', body: {} })).status).toBe(400);
    expect((await api.call('PUT', at('Nope'), { as: 'admin', body: { namespace: 'x' } })).status).toBe(404);
  });

  test('many at once all succeed, one after the other', async () => {
    const name = await create();
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        api.call('PUT', at(name), { as: 'admin', body: { namespace: name, description: String(n) } }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
  });
});

describe('protection', () => {
  test('forbids every deletion and nothing else, until it is lifted', async () => {
    const name = await create({ ...WHOLE, protected: true });
    const paths = [
      '',
      '/properties',
      '/objects',
      '/tags',
      '/properties/bus',
      '/objects/bare',
      `/tags/${encodeURIComponent('ü')}`,
      '/resource_types/OS::Nova::Flavor',
    ];

    for (const path of paths)
      expect((await api.call('DELETE', at(name) + path, { as: 'admin' })).status, path).toBe(403);
    expect((await api.call('DELETE', `${at(name)}/properties/none`, { as: 'admin' })).status).toBe(404);
    expect((await api.call('POST', `${at(name)}/tags/new`, { as: 'admin' })).status).toBe(201);

    const lifted = await api.call('PUT', at(name), { as: 'admin', body: { namespace: name } });
    expect(lifted.status).toBe(200);
    for (const path of paths.toReversed())
      expect((await api.call('DELETE', at(name) + path, { as: 'admin' })).status, path).toBe(204);
  });
});

describe('GET /v2/metadefs/namespaces', () => {
  let listed: MetadefsApi;
  beforeAll(async () => {
    listed = await startMetadefsApi();
    const make = async (namespace: string, body: object) => {
      const answer = await listed.call('POST', ROOT, { as: 'admin', body: { namespace, ...body } });
      expect(answer.status, answer.text).toBe(201);
    };
    await make('P1', { visibility: 'public', display_name: 'c', resource_type_associations: [{ name: 'A' }] });
    await make('P2', { visibility: 'public', display_name: 'a', resource_type_associations: [{ name: 'B' }] });
    await make('P3', {
      visibility: 'public',
      owner: 'demo',
      resource_type_associations: [{ name: 'A' }, { name: 'C' }],
    });
    await make('D1', { owner: 'demo', display_name: 'b' });
    await make('A1', { owner: 'alt' });
  });
  afterAll(() => listed.close());
  const names = async (query: string, as: CallerName = 'demo') => {
    const answer = await listed.call('GET', `${ROOT}${query}`, { as });
    expect(answer.status, answer.text).toBe(200);
    return answer.body.namespaces.map((each: { namespace: string }) => each.namespace);
  };

  test('public ones, one’s own, everything for an admin; newest first', async () => {
    expect(await names('')).toEqual(['D1', 'P3', 'P2', 'P1']);
    expect(await names('', 'alt')).toEqual(['A1', 'P3', 'P2', 'P1']);
    expect(await names('', 'third')).toEqual(['P3', 'P2', 'P1']);
    expect(await names('', 'admin')).toEqual(['A1', 'D1', 'P3', 'P2', 'P1']);
  });

  test.each<[string, CallerName, string[]]>([
    ['?visibility=public', 'demo', ['P3', 'P2', 'P1']],
    ['?visibility=private', 'demo', ['D1']],
    ['?visibility=private', 'admin', ['A1', 'D1']],
    ['?visibility=private', 'third', []],
    ['?resource_types=A', 'demo', ['P3', 'P1']],
    ['?resource_types=B,C', 'demo', ['P3', 'P2']],
    ['?resource_types=X', 'demo', []],
    ['?sort_key=namespace&sort_dir=asc', 'admin', ['A1', 'D1', 'P1', 'P2', 'P3']],
    ['?sort_key=namespace', 'demo', ['P3', 'P2', 'P1', 'D1']],
    ['?sort_dir=asc', 'demo', ['P1', 'P2', 'P3', 'D1']],
    ['?sort_key=display_name&sort_dir=asc', 'demo', ['P3', 'P2', 'D1', 'P1']],
    ['?sort_key=owner&sort_dir=asc', 'demo', ['P1', 'P2', 'P3', 'D1']],
    ['?limit=0', 'demo', []],
    ['?limit=2&marker=P3', 'demo', ['P2', 'P1']],
    ['?sort_key=display_name&sort_dir=asc&marker=P2', 'demo', ['D1', 'P1']],
    ['?sort_key=namespace&sort_dir=asc&marker=P1&limit=1', 'admin', ['P2']],
  ])('%s as %s', async (query, as, expected) => {
    expect(await names(query, as)).toEqual(expected);
  });

  test('pages by links that keep the query', async () => {
    const first = (await listed.call('GET', `${ROOT}?limit=3&sort_dir=asc`, { as: 'demo' })).body;
    expect(first).toMatchObject({
      first: '/v2/metadefs/namespaces?limit=3&sort_dir=asc',
      next: '/v2/metadefs/namespaces?limit=3&sort_dir=asc&marker=P3',
      schema: '/v2/schemas/metadefs/namespaces',
    });
    const second = (await listed.call('GET', first.next, { as: 'demo' })).body;
    expect(second.namespaces.map((each: { namespace: string }) => each.namespace)).toEqual(['D1']);
    expect(second).not.toHaveProperty('next');
    expect(second.namespaces[0]).not.toHaveProperty('tags');
  });

  test.each<[string, number]>([
    ['limit=x', 400],
    ['limit=-1', 400],
    ['visibility=shared', 400],
    ['sort_key=nope', 400],
    ['sort_key=constructor', 400],
    ['sort_dir=up', 400],
    ['marker=Nope', 404],
    ['marker=A1', 404],
  ])('%s is %i', async (query, status) => {
    expect((await listed.call('GET', `${ROOT}?${query}`, { as: 'demo' })).status).toBe(status);
  });
});
