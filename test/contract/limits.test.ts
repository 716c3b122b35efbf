import { afterEach, describe, expect, test } from 'vitest';
import type { Image } from '../../core/images/image.ts';
import { beginUpload } from '../../core/images/upload.ts';
import type { UploadKind } from '../../core/images/upload-limits.ts';
import { beginImport } from '../../core/imports/begin.ts';
import { revertImport } from '../../core/imports/revert.ts';
import { janitor } from '../../core/janitor/janitor.ts';
import { reserve } from '../../core/quota/counter.ts';
import { NO_USAGE } from '../../core/quota/usage.ts';
import { aLocation, anImage } from '../support/images.ts';
import { callerOf, startImagesApi, type TestApi } from '../support/images-api.ts';

const MIB = 1024 * 1024;
const PLENTY = { image_size_total: 100, image_stage_total: 100, image_count_total: 100, image_count_uploading: 100 };

let api: TestApi | undefined;
afterEach(() => api?.close());

async function start(config: Record<string, unknown>): Promise<TestApi> {
  api = await startImagesApi(config);
  return api;
}
const limited = (limits: Partial<typeof PLENTY>) =>
  start({ use_keystone_limits: true, registered_limits: { ...PLENTY, ...limits } });

async function put(service: TestApi, attributes: Partial<Image> = {}): Promise<Image> {
  const image = anImage({ diskFormat: 'raw', containerFormat: 'bare', ...attributes });
  await service.deps.images.create(image);
  return image;
}
const stored = (service: TestApi, mib: number, copies = 1) =>
  put(service, {
    status: 'active',
    size: mib * MIB,
    locations: Array.from({ length: copies }, (_, n) => aLocation(`store${n}`)),
  });
const staged = (service: TestApi, mib: number, attributes: Partial<Image> = {}) =>
  put(service, {
    status: 'uploading',
    size: mib * MIB,
    staged: { writeId: 'w', layout: 'plain', size: mib * MIB },
    ...attributes,
  });
const upload = async (service: TestApi, kind: UploadKind, declaredSize?: number) => {
  const { id: imageId } = await put(service);
  const caller = callerOf('demo', 'req-1');
  return beginUpload(service.deps, caller, { kind, imageId, store: undefined, declaredSize });
};
const importOf = (service: TestApi, id: string, method: object, as: 'demo' | 'admin' = 'demo') =>
  service.call('POST', `/v2/images/${id}/import`, { as, body: { method } });

const over = (resource: string, limit: number, usage: number, delta: number) =>
  `Project demo is over a limit for [Resource ${resource} is over limit of ${limit} due to current usage ${usage} and delta ${delta}]`;

describe('image_size_cap', () => {
  test.each<UploadKind>(['file', 'stage'])(
    'PUT %s: a declared size above it is refused, an unknown one cut',
    async (kind) => {
      const service = await start({ image_size_cap: 1000 });
      await expect(upload(service, kind, 1001)).rejects.toMatchObject({ kind: 'LimitExceeded' });
      expect((await upload(service, kind)).limitBytes).toBe(1000);
      expect((await upload(service, kind, 1000)).limitBytes).toBe(1000);
    },
  );

  test('a location above it is refused', async () => {
    const service = await start({ image_size_cap: 10 });
    const { id } = await put(service);
    const body = { url: 's3://central-bucket/long' };
    expect((await service.call('POST', `/v2/images/${id}/locations`, { as: 'nova', body })).status).toBe(413);
  });
});

describe('user_storage_quota', () => {
  test('PUT file: every copy counts, an upload of unknown size is cut at what is left', async () => {
    const service = await start({ user_storage_quota: '4MB' });
    await stored(service, 1, 3);
    expect((await upload(service, 'file')).limitBytes).toBe(MIB);
    await expect(upload(service, 'file', MIB + 1)).rejects.toThrow(
      'what user_storage_quota leaves: 1048576 of 4194304',
    );
    expect((await upload(service, 'stage', 3 * MIB)).limitBytes).toBeGreaterThan(4 * MIB);
    await stored(service, 1);
    await expect(upload(service, 'file')).rejects.toMatchObject({ kind: 'LimitExceeded' });
    expect((await upload(service, 'file', 0)).limitBytes).toBe(0);
  });

  test('adding a location', async () => {
    const service = await start({ user_storage_quota: '30B' });
    const add = async (url: string) => {
      const { id } = await put(service);
      return (await service.call('POST', `/v2/images/${id}/locations`, { as: 'nova', body: { url } })).status;
    };
    expect(await add(`s3://central-bucket/${'x'.repeat(20)}`)).toBe(413);
    expect(await add('s3://central-bucket/x')).toBe(202);
    expect(await add('s3://central-bucket/x')).toBe(413);
  });

  test('is ignored while the unified limits are on', async () => {
    const service = await start({ user_storage_quota: '1B', use_keystone_limits: true, registered_limits: PLENTY });
    expect((await upload(service, 'file', 2 * MIB)).limitBytes).toBeGreaterThan(2 * MIB);
  });
});

describe('unified limits', () => {
  test('image_size_total: PUT file before anything else, with the declared size', async () => {
    const service = await limited({ image_size_total: 3 });
    await stored(service, 1, 2);
    await expect(upload(service, 'file', MIB + 1)).rejects.toThrow(over('image_size_total', 3, 2, 2));
    await expect(upload(service, 'file', MIB)).resolves.toBeDefined();
    const request = { kind: 'file', imageId: 'no-image', store: undefined, declaredSize: 9 * MIB } as const;
    await expect(beginUpload(service.deps, callerOf('demo', 'r'), request)).rejects.toMatchObject({
      kind: 'LimitExceeded',
    });
  });

  test('image_size_total: POST import of a project that is over, before the image is looked up', async () => {
    const service = await limited({ image_size_total: 3 });
    await stored(service, 2, 2);
    const answer = await importOf(service, 'no-image', { name: 'copy-image' });
    expect(answer.status).toBe(413);
    expect(answer.text).toContain('The request returned a 413 Request Entity Too Large.');
    expect(answer.text).toContain(over('image_size_total', 3, 4, 0));
    expect((await importOf(service, 'no-image', { name: 'nonsense' })).status).toBe(400);
  });

  test.each<[string, Partial<typeof PLENTY>, object, Partial<Image>, string]>([
    ['glance-direct', { image_size_total: 3 }, { name: 'glance-direct' }, {}, over('image_size_total', 3, 2, 2)],
    [
      'web-download, stage',
      { image_stage_total: 1 },
      { name: 'web-download', uri: 'http://example.org/x' },
      { status: 'queued', staged: null, size: null },
      over('image_stage_total', 1, 5, 0),
    ],
    [
      'web-download, count',
      { image_count_uploading: 1 },
      { name: 'web-download', uri: 'http://example.org/x' },
      { status: 'queued', staged: null, size: null },
      over('image_count_uploading', 1, 1, 1),
    ],
  ])('%s: the flow ends with the limit in words', async (_, limits, method, attributes, message) => {
    const service = await limited(limits);
    await stored(service, 1, 2);
    await staged(service, 5);
    const { id } = await staged(service, 2, attributes);
    expect((await importOf(service, id, method)).status).toBe(202);
    const [task] = await service.deps.tasks.listByImage(id);

    const refused = await beginImport(service.deps, task?.id ?? '').catch((error: unknown) => error as Error);
    expect(refused).toMatchObject({ kind: 'LimitExceeded', message: expect.stringContaining(message) });
    await revertImport(service.deps, task?.id ?? '', (refused as Error).message);

    const image = await service.deps.images.get(id);
    expect(image).toMatchObject({ status: 'queued', lock: null, importingTo: [] });
    expect(await service.deps.tasks.get(task?.id ?? '')).toMatchObject({
      status: 'failure',
      message: expect.stringContaining(message),
    });
  });

  test('copy-image counts what it copies as staged', async () => {
    const service = await limited({ image_stage_total: 1 });
    const { id } = await stored(service, 2);
    expect((await importOf(service, id, { name: 'copy-image' }, 'admin')).status).toBe(202);
    const [task] = await service.deps.tasks.listByImage(id);

    await expect(beginImport(service.deps, task?.id ?? '')).rejects.toThrow(over('image_stage_total', 1, 0, 2));
    await revertImport(service.deps, task?.id ?? '', 'over');

    expect(await service.deps.images.get(id)).toMatchObject({ status: 'active', lock: null, size: 2 * MIB });
  });

  test('image_stage_total: PUT stage', async () => {
    const service = await limited({ image_stage_total: 3 });
    await staged(service, 2);
    await expect(upload(service, 'stage', 2 * MIB)).rejects.toThrow(over('image_stage_total', 3, 2, 2));
    await expect(upload(service, 'stage', MIB)).resolves.toBeDefined();
  });

  test.each<UploadKind>(['file', 'stage'])(
    'image_count_uploading: PUT %s; a refused one leaves the image queued',
    async (kind) => {
      const service = await limited({ image_count_uploading: 1 });
      const first = await upload(service, kind);
      await expect(upload(service, kind)).rejects.toThrow(over('image_count_uploading', 1, 1, 1));
      const { images } = (await service.call('GET', '/v2/images', { as: 'demo' })).body as { images: Image[] };
      expect(images.map(({ status }) => status).sort()).toEqual(['queued', kind === 'file' ? 'saving' : 'uploading']);
      expect(first.kind).toBe(kind);
    },
  );

  test('GET info/usage says what is used of each', async () => {
    const service = await limited({});
    await stored(service, 2, 3);
    await staged(service, 5);
    expect((await service.call('GET', '/v2/info/usage', { as: 'demo' })).body).toEqual({
      usage: {
        image_size_total: { usage: 6, limit: 100 },
        image_stage_total: { usage: 5, limit: 100 },
        image_count_total: { usage: 2, limit: 100 },
        image_count_uploading: { usage: 1, limit: 100 },
      },
    });
  });

  test('a resource without a registered limit counts as 0', async () => {
    const service = await start({ use_keystone_limits: true, registered_limits: {} });
    const answer = await service.call('POST', '/v2/images', { as: 'demo', body: {} });
    expect(answer.status).toBe(413);
    expect(answer.text).toContain(over('image_count_total', 0, 0, 1));
  });

  test('a reservation whose process died is given back by the recount', async () => {
    const service = await limited({ image_count_total: 2 });
    const create = async () => (await service.call('POST', '/v2/images', { as: 'demo', body: {} })).status;
    expect(await create()).toBe(201);
    await reserve(service.deps, 'demo', { ...NO_USAGE, images: 1 }); // killed here: nothing is written, nothing released
    expect(await create()).toBe(413);

    await janitor(service.deps);
    expect(await create()).toBe(413); // the writer may still be on its way
    service.time.nowMs += 61_000;
    await janitor(service.deps);

    expect(await create()).toBe(201);
    expect(await create()).toBe(413);
  });
});
