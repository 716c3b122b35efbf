import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Image } from '../../core/images/image.ts';
import { beginImport } from '../../core/imports/begin.ts';
import { revertImport } from '../../core/imports/revert.ts';
import { finishImport, hashed } from '../../core/imports/settle.ts';
import { janitor } from '../../core/janitor/janitor.ts';
import type { Task } from '../../core/tasks/task.ts';
import { aLocation, anImage } from '../support/images.ts';
import { type CallerName, startImagesApi, type TestApi } from '../support/images-api.ts';

let api: TestApi;
let trusting: TestApi;
beforeAll(async () => {
  [api, trusting] = await Promise.all([startImagesApi(), startImagesApi({ do_secure_hash: false })]);
});
afterAll(() => Promise.all([api.close(), trusting.close()]));

const SHA512 = 'a'.repeat(128);
const VALIDATION = { os_hash_algo: 'sha512', os_hash_value: SHA512 };
const DIGESTS = { md5: 'b'.repeat(32), hash: { algo: 'sha512', value: SHA512 } };
const url = (name: string) => `s3://central-bucket/${name}`;

async function put(service: TestApi, attributes: Partial<Image> = {}): Promise<string> {
  const image = anImage({ diskFormat: 'raw', containerFormat: 'bare', ...attributes });
  await service.deps.images.create(image);
  return image.id;
}
const add = (service: TestApi, id: string, body: unknown, as: CallerName = 'nova') =>
  service.call('POST', `/v2/images/${id}/locations`, { as, body });
const show = async (service: TestApi, id: string) =>
  (await service.call('GET', `/v2/images/${id}`, { as: 'demo' })).body;

/** Adds a location that is accepted; the task that it started. */
async function added(service: TestApi, body: object): Promise<{ readonly id: string; readonly task: Task }> {
  const id = await put(service);
  const answer = await add(service, id, body);
  expect(answer.status, answer.text).toBe(202);
  expect(answer.text).toBe('');
  const [task] = await service.deps.tasks.listByImage(id);
  if (task === undefined) throw new Error('there is no task');
  expect(task).toMatchObject({ type: 'location_import', status: 'pending' });
  expect(service.effects).toContain(`start ${id}`);
  expect(await beginImport(service.deps, task.id)).toMatchObject({ hashOnly: true, ended: false });
  return { id, task };
}

const settledTask = async (service: TestApi, { task }: { readonly task: Task }) => service.deps.tasks.get(task.id);

describe('POST locations', () => {
  test('with a hash: importing until the bytes have it, then active with both hashes', async () => {
    const work = await added(api, { url: url('image'), validation_data: VALIDATION });

    expect(await show(api, work.id)).toMatchObject({
      status: 'importing',
      size: url('image').length,
      os_glance_import_task: work.task.id,
      os_hash_value: null,
      stores: 'central',
    });
    expect((await add(api, work.id, { url: url('other') })).status).toBe(409);

    await hashed(api.deps, (await settledTask(api, work)) as Parameters<typeof hashed>[1], DIGESTS);
    await finishImport(api.deps, work.task.id);
    const image = await show(api, work.id);
    expect(image).toMatchObject({
      status: 'active',
      checksum: DIGESTS.md5,
      os_hash_algo: 'sha512',
      os_hash_value: SHA512,
    });
    expect(image).not.toHaveProperty('os_glance_import_task');
    expect(image).not.toHaveProperty('os_glance_importing_to_stores');
    expect((await settledTask(api, work))?.status).toBe('success');
  });

  test('with another hash than the bytes: the task fails, the image waits again, without location', async () => {
    const work = await added(api, { url: url('image'), validation_data: VALIDATION });

    await revertImport(api.deps, work.task.id, 'the hash differs');

    const image = await show(api, work.id);
    expect(image).toMatchObject({ status: 'queued', size: null, checksum: null, os_hash_value: null });
    expect(image).not.toHaveProperty('os_glance_import_task');
    expect(image.stores ?? '').toBe('');
    expect(await settledTask(api, work)).toMatchObject({ status: 'failure', message: 'the hash differs' });
    expect((await add(api, work.id, { url: url('again') })).status).toBe(202);
  });

  test('without a hash: active at once, hashed behind; when that fails it stays active', async () => {
    const good = await added(api, { url: url('good'), validation_data: {} });
    const bad = await added(api, { url: url('bad') });
    for (const { id, task } of [good, bad])
      expect(await show(api, id)).toMatchObject({
        status: 'active',
        checksum: null,
        os_glance_import_task: task.id,
      });

    await hashed(api.deps, (await settledTask(api, good)) as Parameters<typeof hashed>[1], DIGESTS);
    await finishImport(api.deps, good.task.id);
    await revertImport(api.deps, bad.task.id, 'the store is away');

    expect(await show(api, good.id)).toMatchObject({ status: 'active', os_hash_value: SHA512 });
    const image = await show(api, bad.id);
    expect(image).toMatchObject({ status: 'active', size: url('bad').length, os_hash_value: null, stores: 'central' });
    expect(image).not.toHaveProperty('os_glance_import_task');
    expect(image).not.toHaveProperty('os_glance_failed_import');
  });

  test('taken on trust: active with the hash as given', async () => {
    const work = await added(trusting, { url: url('image'), validation_data: VALIDATION });
    expect(await show(trusting, work.id)).toMatchObject({ status: 'active', os_hash_value: SHA512, checksum: null });

    await finishImport(trusting.deps, work.task.id);

    const image = await show(trusting, work.id);
    expect(image).toMatchObject({ status: 'active', os_hash_algo: 'sha512', os_hash_value: SHA512 });
    expect(image).not.toHaveProperty('os_glance_import_task');
  });

  test('a finish that dies between the end of the task and the opening of the lock is made good', async () => {
    const work = await added(api, { url: url('image'), validation_data: VALIDATION });
    await hashed(api.deps, (await settledTask(api, work)) as Parameters<typeof hashed>[1], DIGESTS);
    let left = 1;
    const dying = {
      ...api.deps,
      images: {
        ...api.deps.images,
        change: async (...args: Parameters<typeof api.deps.images.change>) => {
          if (left-- === 0) throw new Error('killed');
          return api.deps.images.change(...args);
        },
      },
    };

    await expect(finishImport(dying, work.task.id)).rejects.toThrow('killed');
    await finishImport(api.deps, work.task.id);

    const image = await show(api, work.id);
    expect(image.status).toBe('active');
    expect(image).not.toHaveProperty('os_glance_import_task');
  });

  test('a task whose workflow was never started is started by the janitor', async () => {
    const { id } = await added(api, { url: url('image') });
    api.effects.length = 0;

    api.time.nowMs += 61_000;
    await janitor(api.deps);

    expect(api.effects).toContain(`start ${id}`);
  });

  test('DELETE ends the hashing', async () => {
    const { id, task } = await added(api, { url: url('image'), validation_data: VALIDATION });

    expect((await api.call('DELETE', `/v2/images/${id}`, { as: 'demo' })).status).toBe(204);

    expect(api.effects).toContain(`stop ${task.id}`);
    await expect(beginImport(api.deps, task.id)).rejects.toMatchObject({ kind: 'TaskAborted' });
  });

  test.each<[string, Partial<Image>, unknown, number, CallerName?]>([
    ['no body', {}, undefined, 400],
    ['no url', {}, {}, 400],
    ['a url that is no text', {}, { url: 7 }, 400],
    ['a long url', {}, { url: url('x'.repeat(255)) }, 400],
    ['half of a hash', {}, { url: url('a'), validation_data: { os_hash_algo: 'sha512' } }, 400],
    ['the other half', {}, { url: url('a'), validation_data: { os_hash_value: SHA512 } }, 400],
    ['an unknown algorithm', {}, { url: url('a'), validation_data: { ...VALIDATION, os_hash_algo: 'crc' } }, 400],
    ['a short hash', {}, { url: url('a'), validation_data: { ...VALIDATION, os_hash_value: 'ab' } }, 400],
    ['no hexadecimal', {}, { url: url('a'), validation_data: { ...VALIDATION, os_hash_value: 'z'.repeat(128) } }, 400],
    ['an unknown key beside the hash', {}, { url: url('a'), validation_data: { ...VALIDATION, checksum: 'x' } }, 400],
    ['a URL of no store', {}, { url: 's3://elsewhere/a' }, 400],
    ['an http URL', {}, { url: 'http://127.0.0.1/a' }, 400],
    ['a file URL', {}, { url: 'file:///etc/passwd' }, 400],
    ['formats that are not set', { diskFormat: null }, { url: url('a') }, 400],
    ['an active image', { status: 'active', size: 1, locations: [aLocation('central')] }, { url: url('a') }, 409],
    ['an active image, before policy', { status: 'active', visibility: 'public' }, { url: url('a') }, 409, 'alt'],
    ['an importing image', { status: 'importing', lock: 'task' }, { url: url('a') }, 409],
    ['a member without a service', {}, { url: url('a') }, 403, 'demo'],
    ['an admin without a service', {}, { url: url('a') }, 403, 'admin'],
    ['a reader', {}, { url: url('a') }, 403, 'reader'],
    ['a member of another project', { visibility: 'public' }, { url: url('a') }, 403, 'alt'],
    ['who cannot see the image', {}, { url: url('a') }, 404, 'alt'],
  ])('refuses %s', async (_, attributes, body, status, as = 'nova') => {
    const id = await put(api, attributes);
    const answer = await add(api, id, body, as);
    expect(answer.status, answer.text).toBe(status);
    expect(await api.deps.tasks.listByImage(id)).toEqual([]);
  });

  test('ignores unknown keys, and adds for any project as a service', async () => {
    const id = await put(api, { visibility: 'public' });
    expect((await add(api, id, { url: url('a'), colour: 'red' }, 'service')).status).toBe(202);
    const listed = await api.call('GET', `/v2/images/${id}/locations`, { as: 'service' });
    expect(listed.body).toEqual([{ url: url('a'), metadata: { store: 'central' } }]);
    expect((await api.call('GET', `/v2/images/${id}/locations`, { as: 'nova' })).status).toBe(403);
    expect((await api.call('PUT', `/v2/images/${id}/locations`, { as: 'admin' })).headers['allow']).toBe('GET, POST');
  });

  test('two at once: one is taken', async () => {
    const id = await put(api);
    const answers = await Promise.all([add(api, id, { url: url('a') }), add(api, id, { url: url('b') })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
    expect((await api.deps.images.get(id))?.locations).toHaveLength(1);
  });
});

test('the versions document says so', async () => {
  const { versions } = (await api.call('GET', '/versions')).body as { versions: { id: string; status: string }[] };
  expect(versions.find(({ status }) => status === 'CURRENT')?.id).toBe('v2.17');
  expect(versions.map(({ id }) => id)).toEqual(
    [15, 13, 12, 11, 10, 9, 8, 17, 7, 6, 5, 4, 3, 2, 1, 0].map((minor) => `v2.${minor}`),
  );
});
