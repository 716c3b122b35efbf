import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AWS_ABILITIES } from '../../aws/s3/bucket.ts';
import { BackendUnavailable } from '../../core/errors.ts';
import type { Image } from '../../core/images/image.ts';
import { aLocation, anImage } from '../support/images.ts';
import { type CallerName, startImagesApi, type TestApi } from '../support/images-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startImagesApi({ image_member_quota: 3, image_tag_quota: 3 });
});
afterAll(() => api.close());

const put = async (attributes: Partial<Image> = {}) => {
  const image = anImage(attributes);
  await api.deps.images.create(image);
  return image.id;
};
const call = (method: string, path: string, as: CallerName, body?: unknown) =>
  api.call(method, `/v2/images/${path}`, { as, ...(body !== undefined && { body }) });
const status = async (method: string, path: string, as: CallerName, body?: unknown) =>
  (await call(method, path, as, body)).status;

describe('members', () => {
  test('are offered, answer, are listed and removed', async () => {
    const id = await put();

    const added = await call('POST', `${id}/members`, 'demo', { member: 'alt' });

    expect(added.status).toBe(200);
    expect(added.body).toEqual({
      member_id: 'alt',
      image_id: id,
      status: 'pending',
      created_at: expect.stringMatching(/^2026-05-05T00:00:\d\dZ$/),
      updated_at: expect.stringMatching(/Z$/),
      schema: '/v2/schemas/member',
    });
    expect(await status('GET', id, 'alt')).toBe(200);
    expect((await api.call('GET', '/v2/images', { as: 'alt' })).body.images).toEqual([]);
    const accepted = await call('PUT', `${id}/members/alt`, 'alt', { status: 'accepted' });
    expect(accepted.body).toMatchObject({ status: 'accepted' });
    expect((await api.call('GET', '/v2/images', { as: 'alt' })).body.images).toHaveLength(1);
    await call('POST', `${id}/members`, 'demo', { member: 'third' });
    const all = (await call('GET', `${id}/members`, 'demo')).body;
    expect(all.schema).toBe('/v2/schemas/members');
    expect(all.members.map((member: { member_id: string }) => member.member_id)).toEqual(['alt', 'third']);
    expect((await call('GET', `${id}/members`, 'alt')).body.members).toHaveLength(1);
    expect(await status('DELETE', `${id}/members/alt`, 'demo')).toBe(204);
    expect(await status('GET', id, 'alt')).toBe(404);
    await call('POST', `${id}/members`, 'demo', { member: 'alt' });
    expect((await call('GET', `${id}/members/alt`, 'demo')).body.status).toBe('pending');
  });

  test.each<[string, string, string, CallerName, unknown, number]>([
    ['no body', 'POST', 'members', 'demo', undefined, 400],
    ['no member', 'POST', 'members', 'demo', {}, 400],
    ['a number', 'POST', 'members', 'demo', { member: 3 }, 400],
    ['an array', 'POST', 'members', 'demo', ['alt'], 400],
    ['the empty member', 'POST', 'members', 'demo', { member: '' }, 400],
    ['an emoji', 'POST', 'members', 'demo', { member: '😀' }, 400],
    ['a long member', 'POST', 'members', 'demo', { member: 'x'.repeat(256) }, 400],
    ['a duplicate', 'POST', 'members', 'demo', { member: 'alt' }, 409],
    ['adding by a member', 'POST', 'members', 'alt', { member: 'third' }, 403],
    ['adding by a stranger', 'POST', 'members', 'third', { member: 'third' }, 404],
    ['the owner answering', 'PUT', 'members/alt', 'demo', { status: 'accepted' }, 403],
    ['the owner with a bad status', 'PUT', 'members/alt', 'demo', { status: 'maybe' }, 403],
    ['the owner for an unknown member', 'PUT', 'members/nobody', 'demo', { status: 'accepted' }, 403],
    ['a bad status', 'PUT', 'members/alt', 'alt', { status: 'maybe' }, 400],
    ['no status', 'PUT', 'members/alt', 'alt', {}, 400],
    ['answering for another', 'PUT', 'members/third', 'alt', { status: 'accepted' }, 404],
    ['an unknown member by admin', 'PUT', 'members/nobody', 'admin', { status: 'accepted' }, 404],
    ['a member leaving', 'DELETE', 'members/alt', 'alt', undefined, 403],
    ['removing the unknown', 'DELETE', 'members/nobody', 'demo', undefined, 404],
    ['showing the unknown', 'GET', 'members/nobody', 'demo', undefined, 404],
    ['a member showing another', 'GET', 'members/third', 'alt', undefined, 404],
    ['a stranger listing', 'GET', 'members', 'third', undefined, 404],
  ])('refuse %s', async (_, method, path, as, body, expected) => {
    const id = await put();
    await call('POST', `${id}/members`, 'demo', { member: 'alt' });

    expect(await status(method, `${id}/${path}`, as, body)).toBe(expected);
  });

  test.each([
    ['POST', 'members', { member: 'alt' }, 403],
    ['GET', 'members', undefined, 403],
    ['PUT', 'members/alt', { status: 'accepted' }, 403],
    ['DELETE', 'members/alt', undefined, 403],
    ['GET', 'members/alt', undefined, 404],
  ])('%s %s of an image that is not shared: %s', async (method, path, body, expected) => {
    for (const visibility of ['private', 'public', 'community'] as const) {
      const id = await put({ visibility });
      expect(await status(method, `${id}/${path}`, 'admin', body)).toBe(expected);
    }
  });

  test('are limited', async () => {
    const id = await put();
    for (const member of ['a', 'b', 'c']) expect(await status('POST', `${id}/members`, 'demo', { member })).toBe(200);
    expect(await status('POST', `${id}/members`, 'demo', { member: 'd' })).toBe(413);
  });
});

describe('tags', () => {
  test('are added and removed one by one, decoded as UTF-8', async () => {
    const id = await put();
    for (const tag of ['a', 'a', '%C3%BC%20x']) expect(await status('PUT', `${id}/tags/${tag}`, 'demo')).toBe(204);
    expect((await call('GET', id, 'demo')).body.tags).toEqual(['a', 'ü x']);
    expect(await status('DELETE', `${id}/tags/a`, 'demo')).toBe(204);
    expect(await status('DELETE', `${id}/tags/a`, 'demo')).toBe(404);
  });

  test.each<[string, string, CallerName, unknown, number]>([
    ['PUT', 'x'.repeat(256), 'demo', undefined, 400],
    ['PUT', '%F0%9F%98%80', 'demo', undefined, 400],
    ['PUT', '%00', 'demo', undefined, 400],
    ['PUT', 'x', 'demo', {}, 400],
    ['PUT', 'a%2Fb', 'demo', undefined, 404],
    ['PUT', 'd', 'demo', undefined, 413],
    ['PUT', 'a', 'demo', undefined, 204],
    ['PUT', 'x', 'reader', undefined, 403],
    ['PUT', 'x', 'alt', undefined, 404],
    ['DELETE', 'x', 'demo', undefined, 404],
  ])('%s tag %s by %s', async (method, tag, as, body, expected) => {
    const id = await put({ tags: ['a', 'b', 'c'] });
    expect(await status(method, `${id}/tags/${tag}`, as, body)).toBe(expected);
  });
});

describe('deactivate and reactivate', () => {
  test.each<[Image['status'], string, CallerName, number, Image['status']]>([
    ['active', 'deactivate', 'demo', 204, 'deactivated'],
    ['deactivated', 'deactivate', 'demo', 204, 'deactivated'],
    ['deactivated', 'reactivate', 'demo', 204, 'active'],
    ['active', 'reactivate', 'admin', 204, 'active'],
    ['queued', 'deactivate', 'demo', 403, 'queued'],
    ['importing', 'reactivate', 'demo', 403, 'importing'],
    ['active', 'deactivate', 'reader', 403, 'active'],
    ['active', 'deactivate', 'alt', 404, 'active'],
  ])('%s image, %s by %s: %i', async (before, action, as, expected, after) => {
    const id = await put({ status: before });
    expect(await status('POST', `${id}/actions/${action}`, as)).toBe(expected);
    expect((await api.deps.images.get(id))?.status).toBe(after);
  });
});

describe('DELETE /v2/stores/{store}/{id}', () => {
  const remove = async (store: string, id: string, as: CallerName = 'admin') =>
    (await api.call('DELETE', `/v2/stores/${store}/${id}`, { as })).status;
  const two = { status: 'active', locations: [aLocation('central'), aLocation('dcn0')] } as const;

  test('takes the copy off the record and sweeps its bytes', async () => {
    const id = await put(two);
    expect(await remove('central', id)).toBe(204);
    expect((await call('GET', id, 'admin')).body.stores).toBe('dcn0');
    expect(api.effects).toContain(`sweep central images/${id}/write-1/`);
  });

  test('refuses in the order of the table', async () => {
    expect(await remove('nowhere', 'not-an-id')).toBe(409);
    expect(await remove('central', '00000000-0000-4000-8000-000000000000')).toBe(404);
    expect(await remove('central', await put({ ...two, status: 'queued' }), 'demo')).toBe(403);
    expect(await remove('central', await put({ ...two, status: 'deactivated' }))).toBe(409);
    expect(await remove('dcn1', await put({ status: 'active', locations: [aLocation('central')] }))).toBe(403);
    expect(await remove('dcn1', await put(two))).toBe(404);
  });
});

describe('discovery and schemas', () => {
  test('import, stores, detail, usage', async () => {
    const get = async (path: string, as: CallerName = 'demo') => api.call('GET', `/v2/info/${path}`, { as });
    expect((await get('import')).body['import-methods'].value).toEqual(['glance-direct', 'web-download', 'copy-image']);
    expect((await get('stores')).body).toEqual({
      stores: [{ id: 'central', description: 'the centre', default: 'true' }, { id: 'dcn0' }, { id: 'dcn1' }],
    });
    expect((await get('stores/detail')).status).toBe(403);
    expect((await get('stores/detail', 'admin')).body.stores[0]).toMatchObject({
      id: 'central',
      type: 's3',
      weight: 0,
    });
    expect((await get('usage')).body).toEqual({ usage: {} });
  });

  test('what a store can is shown to who may see stores in detail, where it is known', async () => {
    const known = async (store: string) => {
      if (store === 'dcn1') throw new BackendUnavailable('Store dcn1 is not available');
      return store === 'central' ? AWS_ABILITIES : undefined;
    };
    const asked = await startImagesApi({}, { storeAbilities: { known } });
    const { body } = await asked.call('GET', '/v2/info/stores/detail', { as: 'admin' });
    await asked.close();
    const properties = Object.fromEntries(
      body.stores.map((store: { id: string; properties: object }) => [store.id, store.properties]),
    );
    const always = { s3_store_large_object_size: 8, s3_store_large_object_chunk_size: 8, s3_store_thread_pools: 4 };

    expect(properties['central']).toEqual({
      ...always,
      ...{ verifies_crc32: true, verifies_md5: true, part_checksums_in_complete: true, full_object_crc32: true },
      ...{ needs_content_md5: false, conditional_copies: true, etag_of_complete: true },
    });
    // Nobody has asked it yet; and one that is away keeps nobody from the others.
    expect(properties['dcn0']).toEqual(always);
    expect(properties['dcn1']).toEqual(always);
  });

  test.each(['image', 'images', 'member', 'members', 'task', 'tasks'])('schema %s', async (name) => {
    const answer = await api.call('GET', `/v2/schemas/${name}`, { as: 'reader' });
    expect(answer.status).toBe(200);
    expect(answer.body.name).toBe(name);
    expect((await api.call('POST', `/v2/schemas/${name}`, { as: 'reader' })).status).toBe(405);
  });

  test('the image schema is what glanceclient needs', async () => {
    const { body } = await api.call('GET', '/v2/schemas/image', { as: 'demo' });
    expect(body.additionalProperties).toEqual({ type: 'string' });
    expect(body.properties.kernel_id).toMatchObject({ type: ['null', 'string'], is_base: false });
    expect(body.properties.name).not.toHaveProperty('is_base');
    const custom = Object.entries<{ is_base?: boolean; type: unknown; enum?: unknown }>(body.properties).filter(
      ([, property]) => property.is_base === false,
    );
    expect(Object.fromEntries(custom.map(([key, property]) => [key, property.enum ?? property.type]))).toEqual({
      kernel_id: ['null', 'string'],
      ramdisk_id: ['null', 'string'],
      instance_uuid: 'string',
      architecture: 'string',
      os_distro: 'string',
      os_version: 'string',
      description: 'string',
      cinder_encryption_key_id: 'string',
      cinder_encryption_key_deletion_policy: ['on_image_deletion', 'do_not_delete'],
    });
    expect(body.properties.disk_format.enum.slice(0, 3)).toEqual([null, 'ami', 'ari']);
    expect(Object.keys(body.properties)).toEqual(
      expect.arrayContaining(['locations', 'stores', 'virtual_size', 'os_hidden']),
    );
  });
});

describe('import and tasks', () => {
  const formats = { diskFormat: 'raw', containerFormat: 'bare' };
  const web = { method: { name: 'web-download', uri: 'http://example.org/x.qcow2' } };

  test('an accepted import answers 202 and shows as a task in both forms', async () => {
    const id = await put(formats);

    const answer = await api.call('POST', `/v2/images/${id}/import`, {
      as: 'demo',
      body: { ...web, stores: ['dcn0'], all_stores: false },
      headers: { 'x-openstack-request-id': 'req-import' },
    });

    expect(answer.status, answer.text).toBe(202);
    expect(answer.text).toBe('');
    expect(api.effects).toContain(`start ${id}`);
    const { tasks } = (await call('GET', `${id}/tasks`, 'demo')).body;
    expect(tasks).toHaveLength(1);
    expect(tasks[0]).toMatchObject({
      type: 'api_image_import',
      status: 'pending',
      image_id: id,
      request_id: 'req-import',
      deleted: false,
      expires_at: null,
      created_at: expect.stringMatching(/^2026-05-05T00:00:\d\d\.\d{6}$/),
      input: { image_id: id, import_req: { method: { name: 'web-download' } }, backend: ['dcn0'] },
    });
    expect((await call('GET', id, 'demo')).body.os_glance_import_task).toBe(tasks[0].id);
    const again = await call('POST', `${id}/import`, 'demo', web);
    expect([again.status, again.text]).toEqual([409, expect.stringMatching(/lock|import|task/i)]);
    const shown = await api.call('GET', `/v2/tasks/${tasks[0].id}`, { as: 'admin' });
    expect(shown.body).toMatchObject({ id: tasks[0].id, self: `/v2/tasks/${tasks[0].id}`, request_id: 'req-import' });
    const listed = await api.call('GET', '/v2/tasks?sort_key=status&limit=1', { as: 'admin' });
    expect(listed.body).toMatchObject({ first: '/v2/tasks?sort_key=status&limit=1', schema: '/v2/schemas/tasks' });
    expect(listed.body.next).toContain('marker=');
    expect(listed.body.tasks[0]).not.toHaveProperty('input');
  });

  test('a copy into all stores, where all hold the image, is accepted and does nothing', async () => {
    const locations = ['central', 'dcn0', 'dcn1'].map((store) => aLocation(store));
    const id = await put({ ...formats, status: 'active', size: 1, locations });

    const answer = await call('POST', `${id}/import`, 'admin', { method: { name: 'copy-image' }, all_stores: true });

    expect(answer.status, answer.text).toBe(202);
    expect((await call('GET', `${id}/tasks`, 'demo')).body.tasks).toEqual([]);
    expect((await api.deps.images.get(id))?.lock).toBeNull();
  });

  test.each<[string, Partial<Image>, unknown, CallerName, number]>([
    ['no body', formats, undefined, 'demo', 400],
    ['no method', formats, {}, 'demo', 400],
    ['a method that is text', formats, { method: 'web-download' }, 'demo', 400],
    ['an unknown method', formats, { method: { name: 'magic' } }, 'demo', 400],
    ['flags that are no booleans', formats, { ...web, all_stores: 1 }, 'demo', 400],
    ['stores that are null', formats, { ...web, stores: null }, 'demo', 400],
    ['an empty list of stores', formats, { ...web, stores: [] }, 'demo', 400],
    ['an unknown store', formats, { ...web, stores: ['nowhere'] }, 'demo', 409],
    ['an active image', { ...formats, status: 'active' }, web, 'demo', 409],
    [
      'an active public image of another (state before policy)',
      { ...formats, status: 'active', visibility: 'public' },
      web,
      'alt',
      409,
    ],
    ['a queued public image of another', { ...formats, visibility: 'public' }, web, 'alt', 403],
    ['a private image of another', { ...formats, visibility: 'private' }, web, 'alt', 404],
    ['no formats', {}, web, 'demo', 409],
    ['glance-direct without stage', formats, { method: { name: 'glance-direct' } }, 'demo', 409],
    ['copy-image by a member', { ...formats, status: 'active' }, { method: { name: 'copy-image' } }, 'demo', 403],
    ['a bad URI', formats, { method: { name: 'web-download', uri: 'file:///etc/passwd' } }, 'demo', 400],
  ])('refuses %s', async (_, attributes, body, as, expected) => {
    const id = await put(attributes);
    const answer = await call('POST', `${id}/import`, as, body);
    expect(answer.status, answer.text).toBe(expected);
  });

  test.each([
    ['GET', '', 'demo', 403],
    ['GET', '?status=done', 'admin', 400],
    ['GET', '?type=api_image_import', 'admin', 400],
    ['GET', '?marker=x', 'admin', 400],
    ['GET', '?marker=00000000-0000-4000-8000-000000000000', 'admin', 400],
    ['GET', '?sort_key=input', 'admin', 400],
    ['GET', '?sort_dir=up', 'admin', 400],
    ['GET', '?unknown=1&type=import', 'admin', 200],
    ['GET', '/00000000-0000-4000-8000-000000000000', 'admin', 404],
    ['GET', '/x', 'demo', 403],
    ['DELETE', '/00000000-0000-4000-8000-000000000000', 'demo', 403],
    ['DELETE', '/00000000-0000-4000-8000-000000000000', 'admin', 405],
  ] as const)('%s /v2/tasks%s by %s: %i', async (method, path, as, expected) => {
    expect((await api.call(method, `/v2/tasks${path}`, { as })).status).toBe(expected);
  });
});

describe('POST /v2/tasks', () => {
  const input = {
    import_from: 'http://example.org/x.qcow2',
    import_from_format: 'qcow2',
    image_properties: { name: 'legacy', container_format: 'bare' },
  };
  const post = (body: unknown, as: CallerName = 'admin') => api.call('POST', '/v2/tasks', { as, body });

  test('makes an image and imports it', async () => {
    const answer = await post({ type: 'import', input });
    expect(answer.status, answer.text).toBe(201);
    expect(answer.headers['location']).toBe(`http://glimpse.example.org/v2/tasks/${answer.body.id}`);
    expect(answer.body).toMatchObject({ type: 'import', status: 'pending', input, message: '' });
    expect(await api.deps.images.get(answer.body.image_id)).toMatchObject({
      name: 'legacy',
      owner: (await api.deps.tasks.get(answer.body.id))?.owner,
      diskFormat: 'qcow2',
      lock: answer.body.id,
    });
    const { tasks } = (await api.call('GET', '/v2/tasks?type=import', { as: 'admin' })).body;
    expect(tasks.map((task: { id: string }) => task.id)).toContain(answer.body.id);
  });

  test('a missing key is a task that failed', async () => {
    const answer = await post({ type: 'import', input: { ...input, image_properties: undefined } });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      status: 'failure',
      message: "Input does not contain 'image_properties' field",
    });
    expect(answer.body.expires_at).toBe('2026-05-07T00:00:00Z');
  });

  test.each<[string, unknown, CallerName, number]>([
    ['by a member, whatever the body', '{', 'demo', 403],
    ['malformed', '{', 'admin', 400],
    ['of another type', { type: 'api_image_import', input }, 'admin', 400],
    ['without input', { type: 'import' }, 'admin', 400],
    ['with unknown keys', { type: 'import', input, x: 1 }, 'admin', 400],
    ['without import_from', { type: 'import', input: { ...input, import_from: undefined } }, 'admin', 400],
    ['from a file', { type: 'import', input: { ...input, import_from: 'file:///etc/passwd' } }, 'admin', 400],
    ['of an unknown format', { type: 'import', input: { ...input, import_from_format: 'zip' } }, 'admin', 400],
    ['with bad properties', { type: 'import', input: { ...input, image_properties: { name: 3 } } }, 'admin', 400],
  ])('is refused %s', async (_, body, as, expected) => {
    expect((await post(body, as)).status).toBe(expected);
  });
});

describe('limits', () => {
  test('100 creates against a quota of 50 give exactly 50; deletes give back', async () => {
    const limited = await startImagesApi({ use_keystone_limits: true, registered_limits: { image_count_total: 50 } });
    try {
      await limited.deps.images.create(anImage({ owner: 'demo' }));
      const answers = await Promise.all(
        Array.from({ length: 100 }, () => limited.call('POST', '/v2/images', { as: 'demo', body: {} })),
      );
      const made = answers.filter((answer) => answer.status === 201);
      expect(made).toHaveLength(49);
      const refused = answers.find((answer) => answer.status === 413);
      expect(refused?.text).toContain(
        'Resource image_count_total is over limit of 50 due to current usage 50 and delta 1',
      );
      expect((await limited.call('POST', '/v2/images', { as: 'demo', body: { status: 'active' } })).status).toBe(413);
      await limited.call('DELETE', `/v2/images/${made[0]?.body.id}`, { as: 'demo' });
      expect((await limited.call('POST', '/v2/images', { as: 'demo', body: { status: 'active' } })).status).toBe(403);
      expect((await limited.call('POST', '/v2/images', { as: 'demo', body: {} })).status).toBe(201);
      expect((await limited.call('GET', '/v2/info/usage', { as: 'demo' })).body.usage.image_count_total).toEqual({
        usage: 50,
        limit: 50,
      });
    } finally {
      await limited.close();
    }
  });
});
