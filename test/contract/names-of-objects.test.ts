/** Names that JavaScript's objects have of themselves, as names of everything a client may name: stored, or a clean 400. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { takeDrop } from '../../core/imports/take-drop.ts';
import { type Call, startImagesApi, type TestApi } from '../support/images-api.ts';

const PATCH = { 'content-type': 'application/openstack-images-v2.1-json-patch' };

describe.each([true, false])('with enforce_new_defaults %s', (mode) => {
  let service: TestApi;
  beforeAll(async () => {
    service = await startImagesApi({
      enforce_new_defaults: mode,
      show_multiple_locations: true,
      enabled_import_methods: ['web-download'],
    });
  });
  afterAll(() => service.close());

  const send = async (method: string, path: string, call: Call = {}) =>
    (await service.call(method, path, { as: 'demo', ...call })).status;
  const anImage = async () => {
    const body = { name: 'x', disk_format: 'raw', container_format: 'bare' };
    return `/v2/images/${(await service.call('POST', '/v2/images', { as: 'demo', body })).body.id}`;
  };

  describe.each([
    ['__proto__', 400],
    ['constructor', 400],
    ['toString', 201],
    ['hasOwnProperty', 201],
    ['valueOf', 201],
  ])('%s', (name, created) => {
    const isStored = created === 201;

    test('as property of a new image', async () => {
      const body = `{"name":"x","${name}":"v"}`;
      const answer = await service.call('POST', '/v2/images', { as: 'demo', body });

      expect(answer.status).toBe(created);
      if (isStored) expect((await service.call('GET', answer.body.self, { as: 'demo' })).body[name]).toBe('v');
    });

    test('as property of a patch', async () => {
      const path = await anImage();
      const ops = (op: string) => ({ headers: PATCH, body: [{ op, path: `/${name}`, value: 'v' }] });

      expect(await send('PATCH', path, ops('remove'))).toBe(409);
      expect(await send('PATCH', path, ops('add'))).toBe(isStored ? 200 : 400);
    });

    test('as tag, member and filter', async () => {
      const path = await anImage();

      expect(await send('PUT', `${path}/tags/${name}`)).toBe(204);
      expect(await send('DELETE', `${path}/tags/${name}`)).toBe(204);
      expect(await send('POST', `${path}/members`, { body: { member: name } })).toBe(200);
      expect(await send('GET', `/v2/images?${name}=v`)).toBe(200);
    });

    test('as key of what an import and a task keep', async () => {
      const path = await anImage();
      const method = `{"name":"web-download","uri":"http://example.org/x","${name}":"v"}`;
      const input = `{"import_from":"http://example.org/x","import_from_format":"raw","${name}":{"a":"b"}}`;

      expect(await send('POST', `${path}/import`, { body: `{"method":${method},"${name}":{"q":1}}` })).toBe(
        isStored ? 202 : 400,
      );
      expect(await send('POST', '/v2/tasks', { as: 'admin', body: `{"type":"import","input":${input}}` })).toBe(
        created,
      );
    });

    test('as key of a location’s metadata', async () => {
      const value = `{"url":"s3://central-bucket/x","metadata":{"${name}":"v"}}`;
      const body = `[{"op":"add","path":"/locations/-","value":${value}}]`;

      expect(await send('PATCH', await anImage(), { as: 'admin', headers: PATCH, body })).toBe(isStored ? 200 : 400);
    });

    test('as property of a dropped file', async () => {
      const key = `drop/demo/x.${name}`;
      const metadata = JSON.parse(`{"property-${name}":"v","${name}":"v"}`);
      service.dropped.set(key, { bucket: 'staging', etag: 'e', size: 1, metadata });

      const { kind } = await takeDrop(service.deps, { key, sequencer: '1' });

      expect(kind).toBe(isStored ? 'imported' : 'quarantined');
    });
  });

  test('an id in capital letters names the image', async () => {
    const id = '0A0B0C0D-0000-4000-8000-00000000ABCD';
    const made = await service.call('POST', '/v2/images', { as: 'demo', body: { id } });

    expect(made.body.id).toBe(id.toLowerCase());
    expect(await send('POST', '/v2/images', { body: { id: id.toLowerCase() } })).toBe(409);
    expect((await service.call('GET', `/v2/images/${id}`, { as: 'demo' })).body.id).toBe(id.toLowerCase());
    expect((await service.call('GET', `/v2/images?id=in:${id}`, { as: 'demo' })).body.images).toHaveLength(1);
    expect(await send('GET', `/v2/images?marker=${id}`)).toBe(200);
    expect(await send('PUT', `/v2/images/${id}/tags/a`)).toBe(204);
    expect(await send('DELETE', `/v2/images/${id}`)).toBe(204);
  });

  test('a filter on a property that is protected from the caller matches nothing', async () => {
    const protections = {
      mayCreate: () => true,
      mayRead: (name: string, { isAdmin }: { readonly isAdmin: boolean }) => isAdmin || name !== 'secret',
      mayUpdate: () => true,
      mayDelete: () => true,
    };
    const guarded = await startImagesApi({ enforce_new_defaults: mode }, { protections });
    await guarded.call('POST', '/v2/images', { as: 'demo', body: { secret: '42', open: '1' } });
    const found = async (as: 'demo' | 'admin', query: string) =>
      (await guarded.call('GET', `/v2/images?${query}`, { as })).body.images.length;

    expect(await found('demo', 'open=1')).toBe(1);
    expect(await found('demo', 'secret=42')).toBe(0);
    expect(await found('demo', 'open=1&secret=42')).toBe(0);
    expect(await found('admin', 'secret=42&visibility=all')).toBe(1);
    await guarded.close();
  });
});
