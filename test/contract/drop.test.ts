/** Files dropped into the staging bucket: taken once, set aside with a reason, or waiting; never lost. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BackendUnavailable, Conflict } from '../../core/errors.ts';
import type { Image } from '../../core/images/image.ts';
import { takeDrop } from '../../core/imports/take-drop.ts';
import { janitor } from '../../core/janitor/janitor.ts';
import { aProject, startImagesApi, type TestApi } from '../support/images-api.ts';

const KEY = 'drop/demo/disk.qcow2';
const FILE = { bucket: 'staging', etag: '"e"', size: 7, metadata: {} };
const away = () => Promise.reject(new BackendUnavailable('The identity service cannot be reached.'));

let findProject: (name: string) => ReturnType<TestApi['deps']['findProject']>;
let service: TestApi;
beforeEach(async () => {
  findProject = async (name) => (name === 'demo' ? aProject('demo') : undefined);
  service = await startImagesApi({}, { findProject: (name) => findProject(name) });
  service.dropped.set(KEY, FILE);
});
afterEach(() => service.close());

const take = (key = KEY) => takeDrop(service.deps, { key, sequencer: '01' });
const images = async () => (await service.call('GET', '/v2/images', { as: 'demo' })).body.images as Image[];
const waiting = () => service.deps.duties.due(Number.MAX_SAFE_INTEGER, 10);
const drops = async () => (await waiting()).filter(({ kind }) => kind === 'drop');
const starts = () => service.effects.filter((effect) => effect.startsWith('start'));

it('becomes an image of its project and starts its import; delivered again it changes nothing', async () => {
  const taken = await take();

  expect(taken).toMatchObject({ kind: 'imported' });
  expect(await images()).toMatchObject([
    {
      name: 'disk',
      owner: 'demo',
      disk_format: 'qcow2',
      visibility: 'shared',
      os_glance_import_task: expect.any(String),
    },
  ]);
  expect(await take()).toEqual(taken);
  expect(await images()).toHaveLength(1);
  expect(await drops()).toEqual([]);
});

it.each([
  ['a project that does not exist', 'drop/nobody/x.raw', 'there is no project "nobody"', undefined],
  ['a project that is disabled', KEY, 'the project "demo" is disabled', aProject('demo', { enabled: false })],
  ['a key of another form', 'drop/x.raw', 'is not of the form drop/{project}/{name}.{ext}', undefined],
])('sets %s aside with the reason', async (_, key, reason, project) => {
  service.dropped.set(key, FILE);
  findProject = async () => project;

  expect(await take(key)).toEqual({ kind: 'quarantined', reason: expect.stringContaining(reason) });

  expect(service.effects).toEqual([expect.stringMatching(`^set aside ${key} `)]);
  expect(await waiting()).toEqual([]);
});

it('that is gone leaves nothing to do', async () => {
  service.dropped.clear();

  expect(await take()).toEqual({ kind: 'gone' });
  expect(await waiting()).toEqual([]);
});

it('acts with the project’s id and domain, whatever the key calls it', async () => {
  findProject = async () => aProject('demo', { name: 'the demo project', domainId: 'elsewhere' });

  await take();

  expect(await images()).toMatchObject([{ owner: 'demo' }]);
});

describe('while the identity service is away', () => {
  it('waits, and the janitor takes it when it is back', async () => {
    findProject = away;
    await expect(take()).rejects.toThrow(BackendUnavailable);
    await expect(take()).rejects.toThrow(BackendUnavailable); // the platform delivers it again: still one duty
    expect(await drops()).toMatchObject([{ dropped: { key: KEY, sequencer: '01' }, attempt: 1 }]);

    findProject = async () => aProject('demo');
    expect(await janitor(service.deps)).toEqual({ looked: 0, failed: 0 });
    service.time.nowMs += 2 * 60_000;
    expect(await janitor(service.deps)).toMatchObject({ failed: 0 });

    expect(await images()).toHaveLength(1);
    expect(starts()).toHaveLength(1);
    expect(await drops()).toEqual([]);
  });

  it('is looked at ever less often, and never in the way of other duties', async () => {
    findProject = away;
    await expect(take()).rejects.toThrow(BackendUnavailable);
    const waits: number[] = [];
    for (let look = 0; look < 7; look++) {
      const [duty] = await drops();
      waits.push(Math.round(((duty?.dueAtMs ?? 0) - service.time.nowMs) / 60_000));
      service.time.nowMs = duty?.dueAtMs ?? 0;
      expect(await janitor(service.deps)).toMatchObject({ looked: 1, failed: 1 });
    }

    expect(waits).toEqual([2, 4, 8, 16, 32, 32, 32]);
  });
});

describe('a death in between', () => {
  it.each([
    ['after the image’s record', 'tasks', 'create'],
    ['after the task’s record', 'duties', 'put'],
    ['before the lock', 'images', 'change'],
    ['before the start', 'workflows', 'startImport'],
  ] as const)('%s is made good by the next look', async (_, port, method) => {
    const real = service.deps[port] as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    const works = real[method] as (...args: unknown[]) => Promise<unknown>;
    let calls = 0;
    real[method] = async (...args) => {
      calls += 1;
      // The first duty of a drop is its own.
      if (calls === (method === 'put' ? 2 : 1)) throw new BackendUnavailable('killed');
      return works(...args);
    };
    await expect(take()).rejects.toThrow('killed');

    service.time.nowMs += 3 * 60_000;
    await janitor(service.deps);

    expect(await drops()).toEqual([]);
    expect(starts().length).toBeGreaterThanOrEqual(1);
    const [image] = await images();
    expect(image).toMatchObject({ os_glance_import_task: expect.any(String) });
    const [task] = await service.deps.tasks.listByImage(image?.id ?? '');
    expect(task).toMatchObject({ status: 'pending', imageId: image?.id });
  });
});

describe('poison', () => {
  it.each([
    ['a name that is too long', { name: 'x'.repeat(256) }, /256 characters/],
    ['a container format of its own', { container_format: 'evil' }, /"evil"/],
    ['a min_disk that is no number', { min_disk: '1e3' }, /min_disk/],
    ['a property without a name', { 'property-': 'x' }, /may not be empty/],
    ['a property with a long name', { [`property-${'k'.repeat(300)}`]: 'x' }, /255/],
    ['a character that no value may have', { 'property-x': '\u0000' }, /NUL/],
  ])('is set aside with the reason: %s', async (_, metadata, reason) => {
    service.dropped.set(KEY, { ...FILE, metadata: metadata as Record<string, string> });

    expect(await take()).toEqual({ kind: 'quarantined', reason: expect.stringMatching(reason) });

    expect(await images()).toEqual([]);
    expect(await waiting()).toEqual([]);
  });

  it('that nobody foresaw is set aside after some looks, and says nothing of the inside', async () => {
    findProject = () => Promise.reject(new TypeError('reading 10.0.0.7 of undefined'));
    for (let look = 0; look < 7; look += 1)
      await expect(takeDrop(service.deps, { key: KEY, sequencer: '01' }, look)).rejects.toThrow(TypeError);

    const taken = await takeDrop(service.deps, { key: KEY, sequencer: '01' }, 7);

    expect(taken).toEqual({ kind: 'quarantined', reason: expect.stringContaining('8 looks') });
    expect(JSON.stringify(taken)).not.toContain('10.0.0.7');
    expect(await waiting()).toEqual([]);
  });

  it('whose image was taken by somebody else is set aside', async () => {
    const lock = service.deps.images.change;
    service.deps.images.change = async () => {
      throw new Conflict('the image is held by an upload');
    };

    expect(await take()).toEqual({ kind: 'quarantined', reason: 'the image is held by an upload' });
    service.deps.images.change = lock;
  });

  it('whose image another project made before it is set aside, and the image gets nothing', async () => {
    const id = service.deps.nameId(`image\nstaging\n${KEY}\n01`);
    await service.call('POST', '/v2/images', {
      as: 'alt',
      body: { id, disk_format: 'qcow2', container_format: 'bare' },
    });

    expect(await take()).toEqual({ kind: 'quarantined', reason: expect.stringContaining('another project') });

    expect(starts()).toEqual([]);
    expect(await waiting()).toEqual([]);
    const { body } = await service.call('GET', `/v2/images/${id}`, { as: 'alt' });
    expect(body).toMatchObject({ owner: 'alt', status: 'queued' });
    expect(body).not.toHaveProperty('os_glance_import_task');
  });

  it('takes min_disk and min_ram', async () => {
    service.dropped.set(KEY, { ...FILE, metadata: { min_disk: '3', min_ram: '512' } });

    await take();

    expect(await images()).toMatchObject([{ min_disk: 3, min_ram: 512 }]);
  });
});
