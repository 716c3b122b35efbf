import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aLocation, anImage } from '../support/images.ts';
import { type CallerName, startImagesApi, type TestApi } from '../support/images-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startImagesApi();
});
afterAll(() => api.close());

const V21 = { 'content-type': 'application/openstack-images-v2.1-json-patch' };
const V20 = { 'content-type': 'application/openstack-images-v2.0-json-patch' };
const create = async (body: object = {}, as: CallerName = 'demo') => {
  const answer = await api.call('POST', '/v2/images', { as, body });
  expect(answer.status, answer.text).toBe(201);
  return answer.body;
};
const patch = (id: string, body: unknown, as: CallerName = 'demo', headers: Record<string, string> = V21) =>
  api.call('PATCH', `/v2/images/${id}`, { as, body, headers });

describe('POST /v2/images', () => {
  test('answers the whole image with links and the headers that clients read', async () => {
    const answer = await api.call('POST', '/v2/images', {
      as: 'demo',
      body: { name: 'n', disk_format: 'raw', tags: ['a', 'a', 'b'], hw_disk_bus: 'scsi', 'a.b': 'ü' },
      headers: { 'x-openstack-request-id': 'req-mine' },
    });

    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'n',
      status: 'queued',
      visibility: 'shared',
      protected: false,
      os_hidden: false,
      checksum: null,
      os_hash_algo: null,
      os_hash_value: null,
      owner: 'demo',
      size: null,
      virtual_size: null,
      container_format: null,
      disk_format: 'raw',
      created_at: '2026-05-05T00:00:00Z',
      updated_at: '2026-05-05T00:00:00Z',
      tags: ['a', 'b'],
      min_ram: 0,
      min_disk: 0,
      self: `/v2/images/${answer.body.id}`,
      file: `/v2/images/${answer.body.id}/file`,
      schema: '/v2/schemas/image',
      hw_disk_bus: 'scsi',
      'a.b': 'ü',
    });
    expect(answer.headers).toMatchObject({
      location: `http://glimpse.example.org/v2/images/${answer.body.id}`,
      'openstack-image-import-methods': 'glance-direct,web-download,copy-image',
      'openstack-image-store-ids': 'central,dcn0,dcn1',
      'x-openstack-request-id': 'req-mine',
      'content-type': 'application/json',
    });
    const shown = await api.call('GET', `/v2/images/${answer.body.id}`, { as: 'demo' });
    expect(shown.body).toEqual(answer.body);
  });

  const huge = 'x'.repeat(256);
  test.each<[string, unknown, number, CallerName?]>([
    ['no body', undefined, 400],
    ['malformed JSON', '{"name":', 400],
    ['an array', [], 400],
    ['a scalar', '3', 400],
    ['a derived attribute', { self: '/x', name: 3 }, 403],
    ['stores', { stores: 'central' }, 403],
    ['a name that is no string', { name: 3 }, 400],
    ['a name that is too long', { name: huge }, 400],
    ['a property that is no string', { x: 1 }, 400],
    ['a property that is null', { x: null }, 400],
    ['a kernel_id that is no UUID', { kernel_id: 'abc' }, 400],
    ['an unknown disk_format', { disk_format: 'zip' }, 400],
    ['an unknown visibility', { visibility: 'open' }, 400],
    ['an id that is no UUID', { id: 'mine' }, 400],
    ['a key that is too long', { [huge]: 'x' }, 400],
    ['the empty key', { '': 'x' }, 400],
    ['a reserved prefix', { os_glance_import_task: 'x' }, 403],
    ['location', { location: 'x' }, 403],
    ['locations', { locations: [] }, 403],
    ['deleted_at', { deleted_at: 'x' }, 403],
    ['status', { status: 'active' }, 403],
    ['os_hash_value', { os_hash_value: 'ab' }, 403],
    ['another owner', { owner: 'alt' }, 403],
    ['public by a member', { visibility: 'public' }, 403],
    ['anything by a reader', {}, 403, 'reader'],
    ['a negative min_disk', { min_disk: -1 }, 400],
    ['min_ram beyond 31 bits', { min_ram: 2 ** 31 }, 400],
    ['an emoji in the name', { name: '😀' }, 400],
    ['an emoji in a tag', { tags: ['😀'] }, 400],
    ['NUL in a value', { x: 'a\u0000b' }, 400],
    ['a value of more than 65535 bytes', { x: 'a'.repeat(65_536) }, 400],
    ['129 tags', { tags: Array.from({ length: 129 }, (_, n) => `t${n}`) }, 413],
    ['129 properties', Object.fromEntries(Array.from({ length: 129 }, (_, n) => [`p${n}`, 'x'])), 413],
    [
      'more than 256 KiB of properties',
      Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`p${n}`, 'x'.repeat(60_000)])),
      413,
    ],
  ])('refuses %s', async (_, body, status, as = 'demo') => {
    const answer = await api.call('POST', '/v2/images', { as, body });

    expect(answer.status, answer.text).toBe(status);
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    expect(answer.text).toMatch(/\w{3}/);
  });

  test('takes an id once, even after the image is gone', async () => {
    const id = 'AAAAAAAA-0000-4000-8000-000000000001';
    await create({ id });
    expect((await api.call('POST', '/v2/images', { as: 'alt', body: { id } })).status).toBe(409);
    expect((await api.call('DELETE', `/v2/images/${id}`, { as: 'demo' })).status).toBe(204);
    expect((await api.call('POST', '/v2/images', { as: 'demo', body: { id } })).status).toBe(409);
  });

  test('lets an admin create for any owner and publish', async () => {
    expect(await create({ owner: 'alt', visibility: 'public' }, 'admin')).toMatchObject({
      owner: 'alt',
      visibility: 'public',
    });
  });
});

describe('GET /v2/images/{id}', () => {
  test.each<[string, CallerName, number]>([
    ['private', 'demo', 200],
    ['private', 'alt', 404],
    ['private', 'admin', 200],
    ['shared', 'alt', 404],
    ['community', 'alt', 200],
    ['community', 'unscoped', 404],
    ['public', 'alt', 200],
    ['public', 'reader', 200],
  ])('%s image, asked by %s: %i', async (visibility, as, status) => {
    const image = anImage({ visibility: visibility as 'private' });
    await api.deps.images.create(image);

    expect((await api.call('GET', `/v2/images/${image.id}`, { as })).status).toBe(status);
  });

  test.each(['not-an-id', '..%2Fx', 'a/b', '%00', '00000000-0000-4000-8000-000000000000', '%ff', 'x'.repeat(3000)])(
    'answers 404 to %s',
    async (id) => {
      expect((await api.call('GET', `/v2/images/${id}`, { as: 'demo' })).status).toBe(404);
    },
  );

  test('hides where a deactivated image lies from all but admins', async () => {
    const image = anImage({ status: 'deactivated', locations: [aLocation('dcn0'), aLocation('central')] });
    await api.deps.images.create(image);

    const asDemo = (await api.call('GET', `/v2/images/${image.id}`, { as: 'demo' })).body;
    const asAdmin = (await api.call('GET', `/v2/images/${image.id}`, { as: 'admin' })).body;

    expect(asDemo).not.toHaveProperty('stores');
    expect(asAdmin.stores).toBe('central,dcn0');
    expect(asAdmin).not.toHaveProperty('locations');
    expect(asAdmin).not.toHaveProperty('direct_url');
  });
});

describe('PATCH /v2/images/{id}', () => {
  test('applies changes of both languages', async () => {
    const { id } = await create({ name: 'a', 'x/y': '1', gone: '1' });

    const first = await patch(id, [
      { op: 'replace', path: '/name', value: 'b' },
      { op: 'add', path: '/min_disk', value: 3 },
      { op: 'replace', path: '/x~1y', value: '2' },
      { op: 'remove', path: '/gone' },
      { op: 'add', path: '/ new ', value: 'n' },
      { op: 'replace', path: '/tags', value: ['t', 't'] },
    ]);
    const second = await patch(
      id,
      [
        { add: '/kernel_id', value: null },
        { replace: '/os_hidden', value: true },
      ],
      'demo',
      V20,
    );

    expect(first.status, first.text).toBe(200);
    expect(first.body).toMatchObject({ name: 'b', min_disk: 3, 'x/y': '2', new: 'n', tags: ['t'] });
    expect(first.body).not.toHaveProperty('gone');
    expect(second.body).toMatchObject({ name: 'b', kernel_id: null, os_hidden: true });
    expect((await patch(id, [])).body).toEqual(second.body);
  });

  test('answers 415 with Accept-Patch to other media types', async () => {
    const { id } = await create();
    for (const type of ['application/json', 'application/json-patch+json', '']) {
      const answer = await patch(id, [], 'demo', { 'content-type': type });
      expect(answer.status).toBe(415);
      expect(answer.headers['accept-patch']).toBe(
        'application/openstack-images-v2.0-json-patch, application/openstack-images-v2.1-json-patch',
      );
    }
  });

  const add = (path: unknown, value: unknown = 'x') => [{ op: 'add', path, value }];
  const replace = (path: string, value: unknown = 'x') => [{ op: 'replace', path, value }];
  const remove = (path: string) => [{ op: 'remove', path }];
  test.each<[string, unknown, number]>([
    ['an object', {}, 400],
    ['an element that is no object', [3], 400],
    ['no op', [{ path: '/x', value: 'x' }], 400],
    ['op test', [{ op: 'test', path: '/x', value: 'x' }], 400],
    ['no value', [{ op: 'add', path: '/x' }], 400],
    ['no path', [{ op: 'add', value: 'x' }], 400],
    ['a path that is a number', add(3), 400],
    ['no leading slash', add('x'), 400],
    ['an inner empty segment', add('/a//b'), 400],
    ['a trailing slash', add('/a/'), 400],
    ['the empty key', add('/'), 400],
    ['two leading slashes', add('//a'), 400],
    ['a bad escape', add('/a~2'), 400],
    ['a deep path', add('/tags/-', 'x'), 400],
    ['a very deep path', add(`/${'a/'.repeat(500)}a`), 400],
    ['a key that is too long', add(`/${'k'.repeat(256)}`), 400],
    ['status', replace('/status', 'active'), 403],
    ['id', replace('/id', 'x'), 403],
    ['stores', add('/stores'), 403],
    ['a reserved key', add('/os_glance_x'), 403],
    ['deleted', add('/deleted'), 403],
    ['a value against the schema', replace('/name', 3), 400],
    ['a null property', add('/x', null), 400],
    ['min_ram out of range', replace('/min_ram', -1), 400],
    ['an emoji', replace('/name', '😀'), 400],
    ['replace of an unknown property', replace('/unknown'), 409],
    ['remove of an unknown property', remove('/unknown'), 409],
    ['remove of a base attribute', remove('/name'), 403],
    ['owner by a member', replace('/owner', 'alt'), 403],
    ['owner by add', add('/owner', 'alt'), 403],
    ['public by a member', replace('/visibility', 'public'), 403],
    ['locations where they are off', add('/locations/-', { url: 's3://x', metadata: {} }), 403],
    ['locations of depth 1', add('/locations', []), 400],
    [
      '129 tags',
      replace(
        '/tags',
        Array.from({ length: 129 }, (_, n) => `t${n}`),
      ),
      413,
    ],
    ['the first fault of several', [...replace('/id', 'x'), { op: 'bad' }], 403],
  ])('refuses %s', async (_, body, status) => {
    const { id } = await create({ name: 'before' });

    const answer = await patch(id, body);

    expect(answer.status, answer.text).toBe(status);
    expect((await api.call('GET', `/v2/images/${id}`, { as: 'demo' })).body.name).toBe('before');
  });

  test('v2.0 refuses to add what is there and two verbs at once', async () => {
    const { id } = await create({ x: '1' });
    expect((await patch(id, [{ add: '/name', value: 'x' }], 'demo', V20)).status).toBe(409);
    expect((await patch(id, [{ add: '/x', value: 'x' }], 'demo', V20)).status).toBe(409);
    expect((await patch(id, [{ add: '/y', remove: '/x', value: 'x' }], 'demo', V20)).status).toBe(400);
  });

  test('body errors come before 404, 404 before 403', async () => {
    const unknown = '00000000-0000-4000-8000-00000000dead';
    expect((await patch(unknown, {})).status).toBe(400);
    expect((await patch(unknown, replace('/name'))).status).toBe(404);
    expect((await patch(unknown, replace('/min_ram', -1))).status).toBe(404);
    const published = anImage({ visibility: 'public' });
    await api.deps.images.create(published);
    expect((await patch(published.id, replace('/name'), 'alt')).status).toBe(403);
    expect((await patch(published.id, [], 'alt')).status).toBe(200);
  });

  test('the quota of properties counts new ones, and lets an image above it shrink', async () => {
    const many = Object.fromEntries(Array.from({ length: 130 }, (_, n) => [`p${n}`, 'x']));
    const image = anImage({ properties: many });
    await api.deps.images.create(image);

    expect((await patch(image.id, replace('/p0', 'y'))).status).toBe(200);
    expect((await patch(image.id, remove('/p1'))).status).toBe(200);
    const refused = await patch(image.id, add('/new'));
    expect(refused.status).toBe(413);
    expect(refused.text).toContain('Attempted: 130, Maximum: 128');
    expect((await api.deps.images.get(image.id))?.properties).not.toHaveProperty('new');
  });

  test('formats change only while queued or importing', async () => {
    const image = anImage({ status: 'active', diskFormat: 'raw' });
    await api.deps.images.create(image);
    expect((await patch(image.id, replace('/disk_format', 'raw'), 'admin')).status).toBe(403);
  });

  test('16 writers lose no update', async () => {
    const { id } = await create();

    const answers = await Promise.all(Array.from({ length: 16 }, (_, n) => patch(id, add(`/p${n}`, String(n)))));

    expect(answers.map((answer) => answer.status)).toEqual(Array(16).fill(200));
    const { body } = await api.call('GET', `/v2/images/${id}`, { as: 'demo' });
    expect(Object.keys(body).filter((key) => /^p\d+$/.test(key))).toHaveLength(16);
  });
});

describe('DELETE /v2/images/{id}', () => {
  test('removes the record, members and bytes in every place', async () => {
    const image = anImage({ status: 'active', locations: [aLocation('central')] });
    await api.deps.images.create(image);
    await api.call('POST', `/v2/images/${image.id}/members`, { as: 'demo', body: { member: 'alt' } });

    const answer = await api.call('DELETE', `/v2/images/${image.id}`, { as: 'demo' });

    expect(answer.status).toBe(204);
    expect(answer.text).toBe('');
    expect((await api.call('GET', `/v2/images/${image.id}`, { as: 'admin' })).status).toBe(404);
    expect((await api.call('DELETE', `/v2/images/${image.id}`, { as: 'demo' })).status).toBe(404);
    expect(api.effects.filter((effect) => effect.includes(image.id)).sort()).toEqual([
      `sweep central images/${image.id}/`,
      `sweep dcn0 images/${image.id}/`,
      `sweep dcn1 images/${image.id}/`,
      `sweep staging images/${image.id}/`,
      `sweep staging staged/${image.id}/`,
    ]);
    expect(await api.deps.members.list(image.id)).toEqual([]);
    expect(await api.deps.duties.due(Number.MAX_SAFE_INTEGER, 100)).toEqual([]);
  });

  test('stops work in progress and sweeps again later', async () => {
    const image = anImage({ status: 'importing', lock: 'task-9' });
    await api.deps.images.create(image);

    expect((await api.call('DELETE', `/v2/images/${image.id}`, { as: 'demo' })).status).toBe(204);

    expect(api.effects).toContain('stop task-9');
    const duties = await api.deps.duties.due(Number.MAX_SAFE_INTEGER, 100);
    expect(duties).toMatchObject([{ id: `delete:${image.id}`, kind: 'deleted' }]);
    await api.deps.duties.remove(`delete:${image.id}`);
  });

  test.each<[string, Parameters<typeof anImage>[0], CallerName, unknown, number]>([
    ['protected', { protected: true }, 'demo', undefined, 403],
    ['public, by another', { visibility: 'public' }, 'alt', undefined, 403],
    ['private, by another', { visibility: 'private' }, 'alt', undefined, 404],
    ['with a body', {}, 'demo', {}, 400],
    ['by a reader', {}, 'reader', undefined, 403],
  ])('refuses: %s', async (_, attributes, as, body, status) => {
    const image = anImage(attributes);
    await api.deps.images.create(image);

    expect((await api.call('DELETE', `/v2/images/${image.id}`, { as, body })).status).toBe(status);
    expect(await api.deps.images.get(image.id)).toEqual(image);
  });
});
