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
/** The path of a namespace under a new name. */
async function create(body: object = {}): Promise<string> {
  made += 1;
  const answer = await api.call('POST', ROOT, { as: 'admin', body: { namespace: `N${made}`, ...body } });
  expect(answer.status, answer.text).toBe(201);
  return `${ROOT}/N${made}`;
}
const call = async (method: string, path: string, body?: unknown, as: CallerName = 'admin') =>
  api.call(method, path, { as, body });
const status = async (...request: Parameters<typeof call>) => (await call(...request)).status;

const PROPERTY = {
  name: 'Mode (x)',
  title: 'Mode',
  description: 'd',
  type: 'array',
  operators: ['<in>'],
  default: ['a'],
  readonly: true,
  enum: ['a', 'b'],
  pattern: '^(?P<x>[ab])$',
  minimum: -1.5,
  maximum: 2,
  minLength: 0,
  maxLength: 3,
  minItems: 0,
  maxItems: 4,
  uniqueItems: true,
  additionalItems: false,
  items: { type: 'string', enum: ['a'] },
};

describe('properties', () => {
  test('are made, shown, listed, replaced, renamed and removed', async () => {
    const ns = await create();
    const path = `${ns}/properties/${encodeURIComponent(PROPERTY.name)}`;

    const created = await call('POST', `${ns}/properties`, PROPERTY);
    expect([created.status, created.body]).toEqual([201, PROPERTY]);
    expect((await call('GET', path)).body).toEqual(PROPERTY);
    const { name, ...definition } = PROPERTY;
    expect((await call('GET', `${ns}/properties`)).body).toEqual({ properties: { [name]: definition } });

    const replaced = await call('PUT', path, { name, title: 'New', type: 'integer' });
    expect([replaced.status, replaced.body]).toEqual([200, { name, title: 'New', type: 'integer' }]);
    expect(await status('PUT', path, { name: 'other', title: 'New', type: 'integer' })).toBe(200);
    expect(await status('GET', path)).toBe(404);
    expect((await call('GET', `${ns}/properties/other`)).body).toEqual({
      name: 'other',
      title: 'New',
      type: 'integer',
    });
    expect(await status('DELETE', `${ns}/properties/other`, { ignored: true })).toBe(204);
    expect((await call('GET', `${ns}/properties`)).body).toEqual({ properties: {} });
  });

  test('a name that is taken is 409 on POST and on renaming; the unknown is 404', async () => {
    const ns = await create({ properties: { a: { title: 'a', type: 'string' }, b: { title: 'b', type: 'string' } } });

    expect(await status('POST', `${ns}/properties`, { name: 'a', title: 'x', type: 'string' })).toBe(409);
    expect(await status('PUT', `${ns}/properties/a`, { name: 'b', title: 'x', type: 'string' })).toBe(409);
    expect(await status('PUT', `${ns}/properties/c`, { name: 'c', title: 'x', type: 'string' })).toBe(404);
    expect(await status('DELETE', `${ns}/properties/c`)).toBe(404);
    expect(await status('POST', `${ROOT}/None/properties`, { name: 'a', title: 'x', type: 'string' })).toBe(404);
    expect((await call('GET', `${ns}/properties/a`)).body.title).toBe('a');
  });

  test.each<[string, unknown, number]>([
    ['no name', { title: 't', type: 'string' }, 400],
    ['no title', { name: 'n', type: 'string' }, 400],
    ['no type', { name: 'n', title: 't' }, 400],
    ['type "null"', { name: 'n', title: 't', type: 'null' }, 400],
    ['a bad pattern', { name: 'n', title: 't', type: 'string', pattern: '[' }, 400],
    ['an unknown key', { name: 'n', title: 't', type: 'string', format: 'x' }, 400],
    ['81 characters', { name: 'n'.repeat(81), title: 't', type: 'string' }, 400],
    ['a slash', { name: 'a/b', title: 't', type: 'string' }, 400],
    ['a read-only key', { name: 'n', title: 't', type: 'string', self: 'x' }, 403],
    ['an array', [{ name: 'n' }], 400],
    ['four bytes in an enum', { name: 'n', title: 't', type: 'string', enum: ['🐙'] }, 400],
  ])('refuse %s', async (_, body, expected) => {
    const ns = await create();
    expect(await status('POST', `${ns}/properties`, body)).toBe(expected);
    expect((await call('GET', `${ns}/properties`)).body.properties).toEqual({});
  });

  test('with a resource type the name has its prefix', async () => {
    const ns = await create({
      properties: { cores: { title: 'c', type: 'integer' }, hw_cores: { title: 'h', type: 'integer' } },
      resource_type_associations: [{ name: 'I', prefix: 'hw_' }, { name: 'S' }],
    });
    const show = (name: string, type: string) => call('GET', `${ns}/properties/${name}?resource_type=${type}&x=1`);

    expect((await show('hw_cores', 'I')).body).toEqual({ name: 'cores', title: 'c', type: 'integer' });
    expect((await show('hw_hw_cores', 'I')).body.name).toBe('hw_cores');
    expect((await show('cores', 'I')).status).toBe(404);
    expect((await show('cores', 'S')).status).toBe(404);
    expect((await show('cores', 'None')).status).toBe(404);
  });

  test('of many at once with one name, one wins, and it is counted once', async () => {
    const ns = await create();
    const body = { name: 'p', title: 't', type: 'string' };
    const statuses = await Promise.all(Array.from({ length: 8 }, () => status('POST', `${ns}/properties`, body)));
    expect(statuses.sort()).toEqual([201, 409, 409, 409, 409, 409, 409, 409]);
    expect((await api.deps.metadefs.find(ns.slice(ROOT.length + 1)))?.counts.properties).toBe(1);
  });

  test('all go at once, and what is added afterwards is there', async () => {
    const ns = await create({
      properties: Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`p${n}`, { title: 't', type: 'string' }])),
    });
    expect(await status('DELETE', `${ns}/properties`)).toBe(204);
    expect(await status('POST', `${ns}/properties`, { name: 'p1', title: 't', type: 'string' })).toBe(201);
    expect(Object.keys((await call('GET', ns)).body.properties)).toEqual(['p1']);
    expect(await status('DELETE', `${ns}/properties`)).toBe(204);
    expect(await status('DELETE', `${ns}/properties`)).toBe(204);
  });
});

describe('objects', () => {
  const OBJECT = {
    name: 'CPU Limits',
    description: 'd',
    required: ['quota'],
    properties: { quota: { title: 'Quota', type: 'integer' } },
  };

  test('are made, shown, listed, replaced and removed', async () => {
    const ns = await create();
    const name = ns.slice(ROOT.length + 1);
    const created = await call('POST', `${ns}/objects`, OBJECT);

    expect(created.status).toBe(201);
    const full = {
      ...OBJECT,
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
      self: `${ROOT}/${name}/objects/CPU Limits`,
      schema: '/v2/schemas/metadefs/object',
    };
    expect(created.body).toEqual(full);
    expect((await call('GET', `${ns}/objects/CPU%20Limits`)).body).toEqual(full);
    expect((await call('GET', `${ns}/objects?limit=1`)).body).toEqual({
      objects: [full],
      schema: 'v2/schemas/metadefs/objects',
    });

    const renamed = await call('PUT', `${ns}/objects/CPU%20Limits`, { name: 'n' });
    expect(renamed.body).not.toHaveProperty('properties');
    expect(renamed.body).not.toHaveProperty('required');
    const shown = (await call('GET', `${ns}/objects/n`)).body;
    expect(shown).toMatchObject({ name: 'n', required: [], properties: {} });
    expect(shown.created_at).toBe(created.body.created_at);
    expect(shown.updated_at > shown.created_at).toBe(true);
    expect(await status('POST', `${ns}/objects`, { name: 'n' })).toBe(409);
    expect(await status('DELETE', `${ns}/objects/n`)).toBe(204);
    expect(await status('DELETE', `${ns}/objects/n`)).toBe(404);
    expect(await status('DELETE', `${ns}/objects`)).toBe(204);
  });

  test.each<[string, unknown, number]>([
    ['no name', { description: 'd' }, 400],
    ['required that repeats', { name: 'o', required: ['a', 'a'] }, 400],
    ['a property that is no definition', { name: 'o', properties: { p: { type: 'string' } } }, 400],
    ['a property list', { name: 'o', properties: [] }, 400],
    ['a read-only key', { name: 'o', updated_at: 'x' }, 403],
  ])('refuse %s', async (_, body, expected) => {
    expect(await status('POST', `${await create()}/objects`, body)).toBe(expected);
  });

  test.each(['limit=x', 'limit=-1', 'visibility=shared'])('listing with %s is 400', async (query) => {
    expect(await status('GET', `${await create()}/objects?${query}`)).toBe(400);
  });
});

describe('tags', () => {
  test('one by one: made, shown, renamed, removed', async () => {
    const ns = await create();
    const created = await call('POST', `${ns}/tags/a%20b`);

    const times = { created_at: expect.stringMatching(/Z$/), updated_at: expect.stringMatching(/Z$/) };
    expect([created.status, created.body]).toEqual([201, { name: 'a b', ...times }]);
    expect(await status('POST', `${ns}/tags/a%20b`)).toBe(409);
    expect(await status('POST', `${ns}/tags/a%20b`, '{}')).toBe(400);
    expect(await status('POST', `${ns}/tags/A%20b`)).toBe(201);
    expect(await status('PUT', `${ns}/tags/a%20b`, { name: 'A b' })).toBe(409);
    expect((await call('PUT', `${ns}/tags/a%20b`, { name: 'c' })).body).toEqual({ name: 'c', ...times });
    expect(await status('GET', `${ns}/tags/a%20b`)).toBe(404);
    expect((await call('GET', `${ns}/tags/c`)).body.name).toBe('c');
    expect(await status('POST', `${ns}/tags/${'t'.repeat(81)}`)).toBe(400);
    expect(await status('DELETE', `${ns}/tags/c`)).toBe(204);
    expect(await status('DELETE', `${ns}/tags/c`)).toBe(404);
  });

  test('many at once replace what is there; with X-Openstack-Append they join it', async () => {
    const ns = await create({ tags: [{ name: 'old' }] });
    const names = async () => (await call('GET', `${ns}/tags?sort_key=name&sort_dir=asc`)).body;
    const append = (body: unknown, value = 'True') =>
      api.call('POST', `${ns}/tags`, { as: 'admin', body, headers: { 'x-openstack-append': value } });

    const replaced = await call('POST', `${ns}/tags`, { tags: [{ name: 'b' }, { name: 'a' }] });
    expect([replaced.status, replaced.body]).toEqual([201, { tags: [{ name: 'b' }, { name: 'a' }] }]);
    expect(await names()).toEqual({ tags: [{ name: 'a' }, { name: 'b' }] });

    expect((await append({ tags: [{ name: 'c' }] })).body).toEqual({ tags: [{ name: 'c' }] });
    expect((await append({ tags: [{ name: 'd' }, { name: 'a' }] })).status).toBe(409);
    expect(await names()).toEqual({ tags: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] });

    expect(await status('POST', `${ns}/tags`, { tags: [] })).toBe(201);
    expect(await status('POST', `${ns}/tags`, { tags: [{ name: 'x' }, { name: 'x' }] })).toBe(409);
    expect(await names()).toEqual({ tags: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] });
    expect((await append({ tags: [{ name: 'only' }] }, 'no')).status).toBe(201);
    expect(await names()).toEqual({ tags: [{ name: 'only' }] });
    expect(await status('DELETE', `${ns}/tags`)).toBe(204);
    expect(await names()).toEqual({ tags: [] });
  });

  test.each<[string, unknown, number]>([
    ['no key', {}, 400],
    ['names only', { tags: ['a'] }, 400],
    ['no list', { tags: {} }, 400],
    ['an unknown key', { tags: [], x: 1 }, 400],
    ['a name too long', { tags: [{ name: 't'.repeat(81) }] }, 400],
    ['four bytes', { tags: [{ name: '🐙' }] }, 400],
  ])('refuse %s', async (_, body, expected) => {
    const ns = await create({ tags: [{ name: 'kept' }] });
    expect(await status('POST', `${ns}/tags`, body)).toBe(expected);
    expect((await call('GET', `${ns}/tags`)).body).toEqual({ tags: [{ name: 'kept' }] });
  });

  test('are listed newest first, all of them, or paged by limit and marker', async () => {
    const ns = await create();
    for (const tag of ['b', 'c', 'a']) await call('POST', `${ns}/tags/${tag}`);
    const names = async (query: string) =>
      (await call('GET', `${ns}/tags${query}`)).body.tags.map((tag: { name: string }) => tag.name);

    expect(await names('')).toEqual(['a', 'c', 'b']);
    expect(await names('?sort_dir=asc')).toEqual(['b', 'c', 'a']);
    expect(await names('?sort_key=name&limit=2')).toEqual(['c', 'b']);
    expect(await names('?marker=a&limit=1&visibility=shared')).toEqual(['c']);
    expect(await status('GET', `${ns}/tags?marker=none`)).toBe(404);
    for (const query of ['limit=x', 'sort_dir=x', 'sort_key=x', 'visibility=x'])
      expect(await status('GET', `${ns}/tags?${query}`), query).toBe(400);
  });

  test('more than a default page', async () => {
    const ns = await create({ tags: Array.from({ length: 60 }, (_, n) => ({ name: `t${n}` })) });
    expect((await call('GET', `${ns}/tags`)).body.tags).toHaveLength(60);
  });
});

describe('resource types', () => {
  test('come into being with an association and outlive it', async () => {
    const ns = await create();
    const body = { name: 'OS::Test::One', prefix: 'p:', properties_target: 'image' };
    const times = { created_at: expect.stringMatching(/Z$/), updated_at: expect.stringMatching(/Z$/) };

    const created = await call('POST', `${ns}/resource_types`, body);
    expect([created.status, created.body]).toEqual([201, { ...body, ...times }]);
    expect(await status('POST', `${ns}/resource_types`, body)).toBe(409);
    expect((await call('GET', `${ns}/resource_types`)).body).toEqual({
      resource_type_associations: [{ ...body, ...times }],
    });
    expect(await status('DELETE', '/v2/metadefs/resource_types/OS::Test::One')).toBe(409);
    expect(await status('DELETE', `${ns}/resource_types/OS::Test::One`)).toBe(204);
    expect(await status('DELETE', `${ns}/resource_types/OS::Test::One`)).toBe(404);
    const all = (await call('GET', '/v2/metadefs/resource_types', undefined, 'demo')).body;
    expect(all.resource_types).toContainEqual({ name: 'OS::Test::One', ...times });

    expect(await status('DELETE', '/v2/metadefs/resource_types/OS::Test::One', undefined, 'demo')).toBe(403);
    expect(await status('DELETE', '/v2/metadefs/resource_types/OS::Test::One')).toBe(204);
    expect(await status('DELETE', '/v2/metadefs/resource_types/OS::Test::One')).toBe(404);
  });

  test.each<[string, unknown, number]>([
    ['no name', { prefix: 'p' }, 400],
    ['a prefix too long', { name: 'R', prefix: 'p'.repeat(81) }, 400],
    ['a target too long', { name: 'R', properties_target: 'p'.repeat(81) }, 400],
    ['an unknown key', { name: 'R', target: 'x' }, 400],
    ['a read-only key', { name: 'R', created_at: 'x' }, 403],
  ])('refuse %s', async (_, body, expected) => {
    expect(await status('POST', `${await create()}/resource_types`, body)).toBe(expected);
  });

  test('associations made at once are all there', async () => {
    const ns = await create();
    const statuses = await Promise.all(
      Array.from({ length: 6 }, (_, n) => status('POST', `${ns}/resource_types`, { name: `OS::Par::${n}` })),
    );
    expect(statuses).toEqual([201, 201, 201, 201, 201, 201]);
    expect((await call('GET', `${ns}/resource_types`)).body.resource_type_associations).toHaveLength(6);
  });
});

describe('routes', () => {
  test.each([
    ['PATCH', ROOT, 'GET, POST'],
    ['PATCH', `${ROOT}/x`, 'GET, PUT, DELETE'],
    ['PUT', `${ROOT}/x/resource_types`, 'GET, POST'],
    ['GET', `${ROOT}/x/resource_types/y`, 'DELETE'],
    ['PUT', `${ROOT}/x/properties`, 'GET, POST, DELETE'],
    ['POST', `${ROOT}/x/properties/y`, 'GET, PUT, DELETE'],
    ['PATCH', `${ROOT}/x/tags/y`, 'GET, POST, PUT, DELETE'],
    ['POST', '/v2/metadefs/resource_types', 'GET'],
  ])('%s %s is 405', async (method, path, allow) => {
    const answer = await call(method, path);
    expect([answer.status, answer.headers['allow']]).toEqual([405, allow]);
  });

  test.each(['/v2/metadefs', '/v2/metadefs/', `${ROOT}/`, `${ROOT}/x/nothing`, '/v2/schemas/metadefs/none'])(
    '%s is 404',
    async (path) => {
      expect(await status('GET', path)).toBe(404);
    },
  );

  test('without a token everything is 401', async () => {
    expect((await api.call('GET', ROOT)).status).toBe(401);
    expect((await api.call('GET', '/v2/schemas/metadefs/namespace')).status).toBe(401);
  });

  test.each([
    ['namespace', 'namespace'],
    ['namespaces', 'namespaces'],
    ['resource_type', 'resource_type_association'],
    ['resource_types', 'resource_type_associations'],
    ['property', 'property'],
    ['properties', 'properties'],
    ['object', 'object'],
    ['objects', 'objects'],
    ['tag', 'tag'],
    ['tags', 'tags'],
  ])('the schema %s is named %s', async (segment, name) => {
    const { body } = await call('GET', `/v2/schemas/metadefs/${segment}`, undefined, 'unscoped');
    expect(body.name).toBe(name);
    expect(body).toHaveProperty('properties');
    expect(await status('GET', `/v2/schemas/metadefs/${segment}`, '{}')).toBe(400);
  });
});
