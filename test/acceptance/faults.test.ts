/** Bad input and broken surroundings, through the real service: each ends in a clear state with its reason, nothing left behind. */
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { imagePrefix, stagedPrefix } from '../../bytes/keys.ts';
import { type Disk, ext4Disk, md5Of, qemuImage } from '../support/disks.ts';
import { type Glimpse, startGlimpse } from '../support/glimpse.ts';
import { BUCKETS, type ImageClient, imageClient, s3Of, violations } from '../support/image-client.ts';
import { settleDuties } from '../support/settle-duties.ts';

let dir: string;
let glimpse: Glimpse;
let demo: ImageClient;
let good: Disk;
let web: { server: Server; url: string };

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'glimpse-faults-'));
  good = await qemuImage(await ext4Disk(dir, 'guest', 64, 16), join(dir, 'good.qcow2'), 'qcow2');
  web = await serve();
  glimpse = await startGlimpse({
    config: {
      max_virtual_size: 1024 ** 3,
      import_filtering_opts: { allow_private_addresses: true, allowed_ports: [], disallowed_hosts: ['forbidden.test'] },
    },
  });
  demo = imageClient(glimpse, 'demo');
});

afterAll(async () => {
  await glimpse?.stop();
  web?.server.close();
  await rm(dir, { recursive: true, force: true });
});

afterEach(async () => {
  // The lock opens before the last sweep is done.
  await expect.poll(() => violations(glimpse), { timeout: 15_000 }).toEqual([]);
});

describe('content that is not a usable image', () => {
  it.each<[string, RegExp, () => Promise<[path: string, attributes?: object]>]>([
    [
      'truncated qcow2',
      /outside|truncated/i,
      async () => [await variant('truncated.qcow2', (path) => truncate(path, 3 * 1024 ** 2))],
    ],
    ['no image at all', /does not match/, async () => [await file('noise', randomBytes(200_000))]],
    ['declared raw, qcow2 inside', /does not match|safety/, async () => [good.path, { disk_format: 'raw' }]],
    ['declared vmdk, qcow2 inside', /does not match/, async () => [good.path, { disk_format: 'vmdk' }]],
    [
      'backing file',
      /backing/i,
      async () => [await variant('backing.qcow2', (path) => patch(path, 8, '0000000000000200000000'.padEnd(24, '0')))],
    ],
    [
      'external data file',
      /external/i,
      async () => [await variant('data-file.qcow2', (path) => patch(path, 72, '0000000000000004'))],
    ],
    [
      'virtual size above the limit',
      /max_virtual_size|virtual size/i,
      async () => [await variant('huge.qcow2', (path) => patch(path, 24, '0000100000000000'))],
    ],
  ])('%s', async (_name, reason, make) => {
    const [path, attributes] = await make();
    const { image, task } = await demo.importFile(path, attributes as Record<string, unknown>);

    expect(image).toMatchObject({
      status: 'queued',
      size: null,
      checksum: null,
      os_glance_importing_to_stores: '',
      os_glance_failed_import: '',
    });
    expect(task).toMatchObject({ status: 'failure', message: expect.stringMatching(reason) as string });
    expect(task.message).not.toMatch(/\.ts:|node_modules| {4}at /);
  });

  it('refuses the same content on a direct upload with 415, image queued', async () => {
    const { id } = await demo.create();

    expect(await demo.put(id, 'file', await file('noise-2', randomBytes(200_000)))).toBe(415);
    expect(await demo.show(id)).toMatchObject({ status: 'queued', size: null, checksum: null });
  });
});

describe('web-download', () => {
  it.each([
    ['unreachable', () => 'http://127.0.0.1:9/x.qcow2', /ECONNREFUSED|refused/i],
    ['not found', () => `${web.url}/missing`, /404/],
    ['shorter than its length says', () => `${web.url}/short`, /connection|Content-Length/i],
    ['redirect to a forbidden host', () => `${web.url}/redirect`, /forbidden\.test/],
    ['redirects in a circle', () => `${web.url}/circle`, /redirect/],
  ])('%s', async (_name, uri, reason) => {
    const { id } = await demo.create();
    expect((await demo.import(id, { method: { name: 'web-download', uri: uri() } })).status).toBe(202);
    const image = await demo.settled(id);
    const [task] = await demo.tasks(id);

    expect(image).toMatchObject({
      status: 'queued',
      os_glance_failed_import: '',
      os_glance_importing_to_stores: '',
    });
    expect(task).toMatchObject({ status: 'failure', message: expect.stringMatching(reason) as string });
  });

  it('takes a file of no bytes, as an upload of none', async () => {
    const { id } = await demo.create();
    expect((await demo.import(id, { method: { name: 'web-download', uri: `${web.url}/empty` } })).status).toBe(202);

    expect(await demo.settled(id)).toMatchObject({ status: 'active', size: 0, os_glance_failed_import: '' });
  });

  it('refuses a URI that does not pass the filter, and an unknown store, before anything happens', async () => {
    const { id } = await demo.create();

    expect(await demo.import(id, { method: { name: 'web-download', uri: 'http://forbidden.test/x' } })).toMatchObject({
      status: 400,
      text: expect.stringContaining('forbidden.test') as string,
    });
    expect(await demo.import(id, { method: { name: 'web-download', uri: 'file:///etc/passwd' } })).toMatchObject({
      status: 400,
    });
    expect(await demo.import(id, { method: { name: 'web-download', uri: web.url }, stores: ['mars'] })).toMatchObject({
      status: 409,
    });
    expect(await demo.tasks(id)).toEqual([]);
  });

  it('works after it failed', async () => {
    const { id } = await demo.create();
    await demo.import(id, { method: { name: 'web-download', uri: `${web.url}/short` } });
    await demo.settled(id);
    expect((await demo.import(id, { method: { name: 'web-download', uri: `${web.url}/good` } })).status).toBe(202);

    expect(await demo.settled(id)).toMatchObject({
      status: 'active',
      checksum: await md5Of(good.rawPath),
      os_glance_failed_import: '',
    });
  });
});

describe('two at once, and deletes', () => {
  it('lets one of two imports of an image run and refuses the other', async () => {
    const { id } = await demo.create();
    await demo.put(id, 'stage', good.path);
    const answers = await Promise.all([1, 2, 3, 4].map(() => demo.import(id, { method: { name: 'glance-direct' } })));

    expect(answers.map((answer) => answer.status).sort()).toEqual([202, 409, 409, 409]);
    expect(await demo.settled(id)).toMatchObject({ status: 'active' });
    expect((await demo.tasks(id)).filter((task) => task.status === 'success')).toHaveLength(1);
  });

  it('an upload that is cut leaves nothing and the image queued', async () => {
    const { id } = await demo.create({ disk_format: 'raw' });
    await cutUpload(id, 5 * 1024 ** 2);

    await expect.poll(async () => (await demo.show(id)).status, { timeout: 10_000 }).toBe('queued');
    await expect.poll(() => violations(glimpse), { timeout: 10_000 }).toEqual([]);
    expect(await demo.put(id, 'file', good.rawPath)).toBe(204);
  });

  it('a delete during an import wins: no image, no bytes, a failed task', async () => {
    const { id } = await demo.create();
    await demo.import(id, { method: { name: 'web-download', uri: `${web.url}/slow` } });
    await expect.poll(async () => (await demo.show(id)).status, { timeout: 10_000 }).toBe('importing');
    const deleted = await glimpse.api('demo', 'DELETE', `/v2/images/${id}`);

    expect(deleted.status).toBe(204);
    expect((await glimpse.api('demo', 'GET', `/v2/images/${id}`)).status).toBe(404);
    await expect.poll(() => violations(glimpse), { timeout: 20_000 }).toEqual([]);
  });

  it('bytes of a worker that ignores the abort and writes seconds after the delete go as well', async () => {
    const { id } = await demo.create();
    await demo.import(id, { method: { name: 'web-download', uri: `${web.url}/slow` } });
    await expect.poll(async () => (await demo.show(id)).status, { timeout: 10_000 }).toBe('importing');
    const task = String((await demo.show(id))['os_glance_import_task']);
    expect((await glimpse.api('demo', 'DELETE', `/v2/images/${id}`)).status).toBe(204);
    await expect.poll(() => violations(glimpse), { timeout: 20_000 }).toEqual([]);

    await setTimeout(3000);
    await lateWrite('glimpse-staging', stagedPrefix(id, task));
    await lateWrite('glimpse-store-central', imagePrefix(id, task));
    expect(await violations(glimpse)).not.toEqual([]);
    expect(await settleDuties(glimpse, id)).toBeGreaterThan(0);

    await expect.poll(() => violations(glimpse), { timeout: 20_000 }).toEqual([]);
  });
});

describe('a store that is broken', () => {
  afterEach(async () => {
    for (const bucket of BUCKETS) await fault(bucket, undefined);
    await expect.poll(() => violations(glimpse), { timeout: 90_000, interval: 1000 }).toEqual([]);
  });

  it.each([
    ['dcn0', 'central,dcn1'],
    ['central', 'dcn0,dcn1'],
  ])('%s: with all_stores_must_succeed=false the others hold the image', async (broken, stores) => {
    await fault(`glimpse-store-${broken}`, { status: 403, code: 'AccessDenied' });
    const { image, task } = await demo.importFile(
      good.path,
      {},
      { method: { name: 'glance-direct' }, all_stores: true, all_stores_must_succeed: false },
    );

    expect(image).toMatchObject({
      status: 'active',
      stores,
      os_glance_failed_import: broken,
      os_glance_importing_to_stores: '',
      checksum: await md5Of(good.rawPath),
    });
    expect(task.status).toBe('success');
    await fault(`glimpse-store-${broken}`, undefined);
    const response = await glimpse.api('demo', 'GET', `/v2/images/${image.id}/file`);
    expect(Buffer.from(await response.arrayBuffer()).equals(await readFile(good.rawPath))).toBe(true);
  });

  it.each(['dcn0', 'central'])('%s: with all_stores_must_succeed=true nothing stays', async (broken) => {
    await fault(`glimpse-store-${broken}`, { status: 403, code: 'AccessDenied', methods: ['PUT', 'POST'] });
    const { image, task } = await demo.importFile(
      good.path,
      {},
      { method: { name: 'glance-direct' }, all_stores: true },
    );

    expect(image).toMatchObject({ status: 'queued', os_glance_importing_to_stores: '', size: null, checksum: null });
    expect(String(image['os_glance_failed_import'])).toContain(broken);
    expect(task).toMatchObject({ status: 'failure', message: expect.stringContaining(broken) as string });
  });

  it('every one: must_succeed=false ends queued with the cause', async () => {
    for (const store of ['central', 'dcn0', 'dcn1'])
      await fault(`glimpse-store-${store}`, { status: 403, code: 'AccessDenied', methods: ['PUT', 'POST'] });
    const { image, task } = await demo.importFile(
      good.path,
      {},
      { method: { name: 'glance-direct' }, all_stores: true, all_stores_must_succeed: false },
    );

    expect(image).toMatchObject({ status: 'queued', os_glance_failed_import: 'central,dcn0,dcn1' });
    expect(task).toMatchObject({
      status: 'failure',
      message: expect.stringContaining('None of the uploads finished') as string,
    });
  });
});

async function fault(bucket: string, body: object | undefined): Promise<void> {
  const response = await fetch(`${glimpse.awsEndpoint}/_glimpse/s3/faults/${bucket}`, {
    method: body === undefined ? 'DELETE' : 'PUT',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`fault on ${bucket}: ${response.status} ${await response.text()}`);
}

async function lateWrite(bucket: string, prefix: string): Promise<void> {
  await s3Of(glimpse).send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}000000000000`, Body: 'late' }));
}

async function file(name: string, bytes: Buffer): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, bytes);
  return path;
}

async function variant(name: string, change: (path: string) => Promise<void>): Promise<string> {
  const path = join(dir, name);
  await copyFile(good.path, path);
  await change(path);
  return path;
}

async function patch(path: string, offset: number, hex: string): Promise<void> {
  const handle = await open(path, 'r+');
  await handle.write(Buffer.from(hex, 'hex'), 0, hex.length / 2, offset);
  await handle.close();
}

/** Begins a PUT of data, sends some, and breaks the connection. */
async function cutUpload(id: string, bytes: number): Promise<void> {
  const token = await glimpse.token('demo');
  await new Promise<void>((resolve) => {
    const put = request(`${glimpse.url}/v2/images/${id}/file`, {
      method: 'PUT',
      headers: {
        'content-type': 'application/octet-stream',
        'x-auth-token': token,
        'content-length': String(bytes * 10),
      },
    });
    put.on('error', () => resolve());
    put.write(randomBytes(bytes), () => void setTimeout(300).then(() => put.destroy()));
  });
}

/** A web server with bad manners. */
async function serve(): Promise<{ server: Server; url: string }> {
  const answers: Record<string, (response: ServerResponse) => void> = {
    '/good': (response) => void createReadStream(good.path).pipe(response),
    '/short': (response) => {
      response.writeHead(200, { 'content-length': '10000000' });
      response.write(Buffer.alloc(100_000), () => response.destroy());
    },
    '/redirect': (response) => void response.writeHead(302, { location: 'http://forbidden.test/secret' }).end(),
    '/circle': (response) => void response.writeHead(302, { location: '/circle' }).end(),
    '/empty': (response) => void response.writeHead(200, { 'content-length': '0' }).end(),
    '/slow': (response) => {
      response.writeHead(200, { 'content-length': '100000000' });
      const timer = setInterval(() => response.write(Buffer.alloc(64 * 1024)), 50);
      response.on('close', () => clearInterval(timer));
    },
  };
  const server = createServer((incoming, response) => {
    const answer = answers[incoming.url ?? ''];
    if (answer === undefined) response.writeHead(404).end();
    else answer(response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
