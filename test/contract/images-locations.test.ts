import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Image } from '../../core/images/image.ts';
import { aLocation, anImage } from '../support/images.ts';
import { type CallerName, startImagesApi, type TestApi } from '../support/images-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startImagesApi({ show_multiple_locations: true, show_image_direct_url: true, image_location_quota: 2 });
});
afterAll(() => api.close());

const V21 = { 'content-type': 'application/openstack-images-v2.1-json-patch' };
const patch = (id: string, body: unknown, as: CallerName = 'demo') =>
  api.call('PATCH', `/v2/images/${id}`, { as, body, headers: V21 });
const put = async (attributes: Partial<Image> = {}) => {
  const image = anImage({ diskFormat: 'raw', containerFormat: 'bare', ...attributes });
  await api.deps.images.create(image);
  return image.id;
};
const url = (name: string) => `s3://central-bucket/${name}`;
const add = (name: string, more: object = {}, at = '-') => [
  { op: 'add', path: `/locations/${at}`, value: { url: name.includes(':') ? name : url(name), metadata: {}, ...more } },
];
const sha512 = 'a'.repeat(128);
const active = { status: 'active', size: 10, locations: [aLocation('central', { url: url('own') })] } as const;

describe('PATCH /locations', () => {
  test('the first location activates a queued image; the next keeps the order', async () => {
    const id = await put();
    expect((await api.call('GET', `/v2/images/${id}`, { as: 'demo' })).body.locations).toEqual([]);

    const first = await patch(id, add('a'));
    const second = await patch(id, add('b'));

    expect(first.status, first.text).toBe(200);
    expect(first.body).toMatchObject({ status: 'active', size: url('a').length, checksum: null, os_hash_value: null });
    expect(second.body.locations).toEqual([
      { url: url('a'), metadata: { store: 'central' } },
      { url: url('b'), metadata: { store: 'central' } },
    ]);
    expect(second.body.direct_url).toBe(url('a'));
    expect(second.body.stores).toBe('central,central');
    expect((await patch(id, [{ op: 'remove', path: '/locations/0' }], 'admin')).body.locations).toHaveLength(1);
    expect((await patch(id, [{ op: 'remove', path: '/locations/-' }], 'admin')).status).toBe(403);
  });

  test('validation data is kept', async () => {
    const data = { checksum: 'c'.repeat(32), os_hash_algo: 'sha512', os_hash_value: sha512 };
    const { body } = await patch(await put(), add('a', { validation_data: data }));
    expect(body).toMatchObject({ checksum: data.checksum, os_hash_algo: 'sha512', os_hash_value: sha512 });
  });

  test.each(['toString', 'valueOf', 'hasOwnProperty'])(
    'a key that objects have of themselves means nothing: %s',
    async (key) => {
      const kept = await patch(await put(), add('a', { [key]: 1 }));
      expect(kept.status, kept.text).toBe(200);
      const data = { os_hash_algo: 'sha512', os_hash_value: sha512, [key]: 1 };
      expect((await patch(await put(), add('a', { validation_data: data }))).status).toBe(400);
    },
  );

  test('metadata of the same URLs can be replaced', async () => {
    const id = await put(active);
    const value = [{ url: url('own'), metadata: { rack: 'r1' } }];
    const { body } = await patch(id, [{ op: 'replace', path: '/locations', value }]);
    expect(body.locations).toEqual([{ url: url('own'), metadata: { rack: 'r1', store: 'central' } }]);
  });

  test.each<[string, Partial<Image>, unknown, number, CallerName?]>([
    ['a URL of no store', {}, add('s3://elsewhere/x'), 400],
    ['a file URL', {}, add('file:///etc/passwd'), 400],
    ['formats that are not set', { diskFormat: null }, add('a'), 400],
    ['a position that is no number', {}, add('a', {}, 'x'), 400],
    ['no metadata', {}, [{ op: 'add', path: '/locations/-', value: { url: url('a') } }], 400],
    ['validation data without a hash', {}, add('a', { validation_data: {} }), 400],
    [
      'unknown keys in validation data',
      {},
      add('a', { validation_data: { os_hash_algo: 'sha512', os_hash_value: sha512, x: 1 } }),
      400,
    ],
    ['another algorithm', {}, add('a', { validation_data: { os_hash_algo: 'md5', os_hash_value: sha512 } }), 409],
    ['a short hash', {}, add('a', { validation_data: { os_hash_algo: 'sha512', os_hash_value: 'ab' } }), 409],
    [
      'a checksum that is none',
      {},
      add('a', {
        validation_data: { checksum: `${'c'.repeat(30)}\r\n`, os_hash_algo: 'sha512', os_hash_value: sha512 },
      }),
      409,
    ],
    ['metadata that no record holds', {}, add('a', { metadata: { note: 'x'.repeat(5_000) } }), 413],
    [
      'metadata that no record holds, put in place of other',
      active,
      [{ op: 'replace', path: '/locations', value: [{ url: url('own'), metadata: { note: 'x'.repeat(5_000) } }] }],
      413,
    ],
    ['an importing image', { status: 'importing' }, add('a'), 409],
    ['the same location again', active, add('own'), 400],
    ['more than the quota', active, [...add('b'), ...add('c')], 413],
    ['replace with nothing', active, [{ op: 'replace', path: '/locations', value: [] }], 403],
    [
      'replace by other URLs',
      active,
      [{ op: 'replace', path: '/locations', value: [{ url: url('z'), metadata: {} }] }],
      400,
    ],
    [
      'remove out of range',
      { ...active, locations: [...active.locations, aLocation('dcn0')] },
      [{ op: 'remove', path: '/locations/7' }],
      400,
      'admin',
    ],
    ['remove by a member', active, [{ op: 'remove', path: '/locations/0' }], 403],
    ['remove from a queued image', {}, [{ op: 'remove', path: '/locations/0' }], 409, 'admin'],
  ])('refuses %s', async (_, attributes, body, status, as = 'demo') => {
    const answer = await patch(await put(attributes), body, as);
    expect(answer.status, answer.text).toBe(status);
  });
});

test('GET /locations is for admins and services', async () => {
  const id = await put(active);
  const answer = await api.call('GET', `/v2/images/${id}/locations`, { as: 'admin' });
  expect(answer.body).toEqual([{ url: url('own'), metadata: { store: 'central' } }]);
  expect((await api.call('GET', `/v2/images/${id}/locations`, { as: 'demo' })).status).toBe(403);
  expect((await api.call('GET', `/v2/images/${id}/locations`, { as: 'alt' })).status).toBe(404);
});

describe('property protections', () => {
  test('hide and refuse; what cannot be read is kept', async () => {
    const only =
      (...names: string[]) =>
      (property: string, caller: { isAdmin: boolean }) =>
        caller.isAdmin || !property.startsWith('x_') || names.includes(property);
    const guarded = await startImagesApi(
      {},
      {
        protections: {
          mayCreate: only('x_create'),
          mayRead: only('x_read', 'x_update'),
          mayUpdate: only('x_update'),
          mayDelete: only(),
        },
      },
    );
    try {
      const create = (body: object) => guarded.call('POST', '/v2/images', { as: 'demo', body });
      expect((await create({ x_no: '1' })).status).toBe(403);
      const made = await create({ x_create: '1', free: '1' });
      expect(made.status).toBe(201);
      expect(made.body).not.toHaveProperty('x_create');
      const { id } = made.body;
      const change = (as: CallerName, op: string, name: string) =>
        guarded.call('PATCH', `/v2/images/${id}`, {
          as,
          body: [{ op, path: `/${name}`, ...(op !== 'remove' && { value: '2' }) }],
          headers: V21,
        });
      for (const name of ['x_read', 'x_update']) expect((await change('admin', 'add', name)).status).toBe(200);
      expect((await change('demo', 'replace', 'x_create')).status).toBe(409);
      expect((await change('demo', 'remove', 'x_create')).status).toBe(409);
      expect((await change('demo', 'replace', 'x_read')).status).toBe(403);
      expect((await change('demo', 'remove', 'x_update')).status).toBe(403);
      expect((await change('demo', 'replace', 'x_update')).status).toBe(200);
      const seen = (await guarded.call('GET', '/v2/images', { as: 'demo' })).body.images[0];
      expect(seen).toMatchObject({ free: '1', x_read: '2', x_update: '2' });
      expect(seen).not.toHaveProperty('x_create');
      expect((await guarded.call('GET', `/v2/images/${id}`, { as: 'admin' })).body.x_create).toBe('1');
    } finally {
      await guarded.close();
    }
  });
});
