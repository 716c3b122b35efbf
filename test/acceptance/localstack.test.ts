/**
 * The core of the product on an AWS that others built: LocalStack as scripts/emulator/localstack-process.ts starts it, everything but front
 * door, API and gateway inside it. The service is started at it as a user would, with AWS_ENDPOINT_URL.
 */

import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalStackProcess, startLocalStack } from '../../scripts/emulator/localstack-process.ts';
import { freePort } from '../../scripts/free-port.ts';
import { type Disk, ext4Disk, md5Of, qemuImage } from '../support/disks.ts';
import { AS_DEPLOYED, type Glimpse, settled, startGlimpse } from '../support/glimpse.ts';
import { imageClient } from '../support/image-client.ts';
import { fileAt } from '../support/web-server.ts';

const PYTHON = process.env['GLIMPSE_LOCALSTACK'] ?? '';
const isInstalled = PYTHON !== '' && existsSync(PYTHON);
if (process.env['GLIMPSE_REQUIRE_LOCALSTACK'] !== undefined && !isInstalled)
  throw new Error(`LocalStack is required, and GLIMPSE_LOCALSTACK ("${PYTHON}") is no Python that has it`);
const why = AS_DEPLOYED
  ? '--as-deployed is of the embedded AWS'
  : 'GLIMPSE_LOCALSTACK names no Python with LocalStack (docs/local.md)';
const isSkipped = AS_DEPLOYED || !isInstalled;
if (isSkipped) process.stderr.write(`not run on LocalStack: ${why}\n`);
/** Left to .ci/full. */
const isCore = process.env['GLIMPSE_TEST_CORE'] !== undefined;

const STORES = ['central', 'dcn0', 'dcn1'];
const BYTES = randomBytes(2 * 2 ** 20);
const MD5 = createHash('md5').update(BYTES).digest('hex');
/** One more, whose bucket is taken away. */
const CONFIGURED = [...STORES, 'gone'].map((id) => ({
  ...{ id, bucket: `glimpse-store-${id}` },
  ...(id === 'central' && { default: true }),
}));
const RAW = { disk_format: 'raw', container_format: 'bare' };

let dir: string;
let disk: Disk;
let localstack: LocalStackProcess;
let glimpse: Glimpse;
let tablesPort: number;

const start = (): Promise<Glimpse> =>
  startGlimpse({
    dataDir: join(dir, 'data'),
    awsPort: tablesPort,
    readyWithinMs: 600_000,
    config: {
      stores: CONFIGURED,
      image_import_plugins: ['image_conversion'],
      import_filtering_opts: { allow_private_addresses: true, allowed_ports: [] },
    },
    env: { AWS_ENDPOINT_URL: localstack.endpoint, AWS_ENDPOINT_URL_DYNAMODB: '' },
  });

const emulator = (port: number): Promise<LocalStackProcess> =>
  startLocalStack({ python: PYTHON, port, folder: join(dir, 'localstack') });

const s3 = (): S3Client =>
  new S3Client({
    endpoint: localstack.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });

/** How many objects of an image a store holds. */
async function objectsOf(id: string, store: string): Promise<number> {
  const listed = new ListObjectsV2Command({ Bucket: `glimpse-store-${store}`, Prefix: `images/${id}/` });
  return (await s3().send(listed)).KeyCount ?? 0;
}

/** An image of a slow download: half of its bytes come, the rest when `go` is called. */
async function slowDownload(name: string): Promise<{ readonly id: string; go(): void; readonly uri: string }> {
  let isSlow = true;
  const waiting: (() => void)[] = [];
  const uri = await fileAt((_request, response) => {
    response.writeHead(200, { 'content-length': BYTES.length });
    if (!isSlow) return void response.end(BYTES);
    response.write(BYTES.subarray(0, BYTES.length / 2));
    waiting.push(() => response.end(BYTES.subarray(BYTES.length / 2)));
  });
  const images = imageClient(glimpse, 'demo');
  const { id } = await images.create({ name, ...RAW });
  expect(await images.import(id, { method: { name: 'web-download', uri } })).toMatchObject({ status: 202 });
  await expect.poll(() => waiting.length, { timeout: 120_000 }).toBeGreaterThan(0);
  const go = () => {
    isSlow = false;
    for (const end of waiting.splice(0)) end();
  };
  return { id, uri, go };
}

describe.skipIf(isSkipped)(isSkipped ? `on LocalStack (${why})` : 'on LocalStack', () => {
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'glimpse-localstack-'));
    tablesPort = await freePort();
    const raw = await ext4Disk(dir, 'guest', 64, 12);
    disk = await qemuImage(raw, join(dir, 'disk.qcow2'), 'qcow2', ['-c']);
    localstack = await emulator(await freePort());
    glimpse = await start();
  });
  afterAll(async () => {
    await glimpse?.stop();
    await localstack?.close();
    if (dir !== undefined) await rm(dir, { recursive: true, force: true });
  });

  test('says which AWS it is and what that lacks', () => {
    expect(glimpse.output()).toContain('LocalStack 4.13.1 fires no schedules');
    expect(glimpse.output()).toContain('LocalStack 4.13.1 runs no containers');
    expect(glimpse.output()).toContain(`tables are at http://127.0.0.1:${tablesPort}`);
    expect(glimpse.output()).not.toMatch(/^ +at .*:\d+:\d+/m);
  });

  test('the main job: staged, converted and put into three stores by the glance client, read back bit for bit', async () => {
    const table = await glimpse.client('demo', 'glance', [
      ...['image-create-via-import', '--import-method', 'glance-direct', '--stores', STORES.join(',')],
      ...['--name', 'main', '--disk-format', 'qcow2', '--container-format', 'bare', '--file', disk.path],
    ]);
    const id = /\| id +\| (\S+)/.exec(table)?.[1] ?? '';
    const image = await settled(glimpse, 'demo', id);

    const checksum = await md5Of(disk.rawPath);
    expect(image, glimpse.output()).toMatchObject({
      ...{ status: 'active', disk_format: 'raw', stores: STORES.join(','), checksum, os_glance_failed_import: '' },
    });
    const target = join(dir, 'main.out');
    await glimpse.client('demo', 'openstack', ['image', 'save', '--file', target, id]);
    expect(await md5Of(target)).toBe(checksum);
  });

  test('a file that is dropped into the bucket becomes an image', async () => {
    await s3().send(new PutObjectCommand({ Bucket: 'glimpse-staging', Key: 'drop/demo/dropped.raw', Body: BYTES }));
    const dropped = async (): Promise<unknown> => {
      const answer = await glimpse.api('demo', 'GET', '/v2/images?name=dropped');
      const { images } = (await answer.json()) as { images: { status: string; checksum: string }[] };
      return images[0];
    };

    await expect
      .poll(dropped, { timeout: 200_000, interval: 1_000 })
      .toMatchObject({ status: 'active', checksum: MD5 });
  });

  test('a store that is gone fails alone', async () => {
    await s3().send(new DeleteBucketCommand({ Bucket: 'glimpse-store-gone' }));
    const images = imageClient(glimpse, 'demo');
    const { id } = await images.create({ name: 'without one', ...RAW });
    expect(await images.put(id, 'stage', BYTES)).toBe(204);
    const request = { method: { name: 'glance-direct' }, stores: ['central', 'gone'], all_stores_must_succeed: false };
    await images.import(id, request);

    expect(await images.settled(id)).toMatchObject({
      ...{ status: 'active', stores: 'central', os_glance_failed_import: 'gone', checksum: MD5 },
    });
  });

  test('an import that is cancelled goes back, and its image is imported again', async () => {
    const { id, go, uri } = await slowDownload('cancelled');
    const images = imageClient(glimpse, 'demo');
    const [task] = await images.tasks(id);
    const cancelled = await glimpse.api('demo', 'POST', `/glimpse/v1/imports/${task?.id}/cancel`);
    expect(cancelled.ok, await cancelled.text()).toBe(true);
    expect(await images.settled(id)).toMatchObject({ status: 'queued' });
    go();

    await images.import(id, { method: { name: 'web-download', uri } });
    expect(await images.settled(id)).toMatchObject({ status: 'active', checksum: MD5 });
  });

  describe.skipIf(isCore)(isCore ? 'the rest (.ci/full)' : 'the rest', () => {
    test('web-download, copy-image into another store, delete', async () => {
      const uri = await fileAt((_request, response) => response.end(BYTES));
      const images = imageClient(glimpse, 'demo');
      const { id } = await images.create({ name: 'copied', ...RAW });
      await images.import(id, { method: { name: 'web-download', uri }, stores: ['central'] });
      expect(await images.settled(id)).toMatchObject({ status: 'active', stores: 'central' });

      await glimpse.client('admin', 'glance', [
        ...['image-import', id, '--import-method', 'copy-image', '--stores', 'dcn0'],
      ]);
      expect(await images.settled(id)).toMatchObject({ status: 'active', stores: 'central,dcn0' });
      expect(await objectsOf(id, 'dcn0')).toBeGreaterThan(0);

      await glimpse.client('demo', 'openstack', ['image', 'delete', id]);
      await expect
        .poll(async () => (await objectsOf(id, 'central')) + (await objectsOf(id, 'dcn0')), { timeout: 200_000 })
        .toBe(0);
    });

    test('a gateway that is killed in the middle of an import: after the next start it is settled, and works', async () => {
      const { id, go, uri } = await slowDownload('killed');
      await glimpse.kill();
      go();
      glimpse = await start();

      const images = imageClient(glimpse, 'demo');
      const image = await images.settled(id);
      expect(['active', 'queued']).toContain(image.status);
      if (image.status === 'queued') await images.import(id, { method: { name: 'web-download', uri } });
      expect(await images.settled(id)).toMatchObject({ status: 'active', checksum: MD5 });
    });

    test('an emulator that is started anew in the middle of an import: it is said, and the next start works', async () => {
      const before = await imageClient(glimpse, 'demo').create({ name: 'lost bytes', ...RAW });
      await imageClient(glimpse, 'demo').put(before.id, 'file', BYTES);
      const { id, go, uri } = await slowDownload('restarted');
      const { port } = new URL(localstack.endpoint);
      await localstack.kill();
      await expect.poll(() => glimpse.output(), { timeout: 120_000 }).toContain('is away');
      localstack = await emulator(Number(port));
      await expect.poll(() => glimpse.output(), { timeout: 120_000 }).toContain('has lost its state');
      go();
      expect((await glimpse.api('demo', 'GET', '/v2/images')).status).toBe(200);

      const { dataDir } = glimpse;
      await glimpse.stop();
      glimpse = await start();
      expect(glimpse.output()).toContain(`lost bytes (${before.id}) in central`);
      const images = imageClient(glimpse, 'demo');
      const image = await images.settled(id);
      if (image.status === 'queued') await images.import(id, { method: { name: 'web-download', uri } });
      expect(await images.settled(id), await readFile(localstack.log, 'utf8')).toMatchObject({
        ...{ status: 'active', checksum: MD5 },
      });
      expect((await glimpse.api('demo', 'GET', `/v2/images/${before.id}/file`)).status).not.toBe(200);
      expect((await glimpse.api('demo', 'DELETE', `/v2/images/${before.id}`)).status).toBe(204);
      expect(dataDir).toBe(glimpse.dataDir);
    });
  });
});
