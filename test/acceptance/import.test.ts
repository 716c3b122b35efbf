import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Disk, ext4Disk, md5Of, qemuImage } from '../support/disks.ts';
import { type Glimpse, settled, startGlimpse } from '../support/glimpse.ts';

const STORES = ['central', 'dcn0', 'dcn1'];

let dir: string;
let glimpse: Glimpse;
let web: { server: Server; url: string };
let plain: Disk;
let zlib: Disk;
let zstd: Disk;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'glimpse-acceptance-'));
  const raw = await ext4Disk(dir, 'guest', 256, 48);
  [plain, zlib, zstd] = await Promise.all([
    qemuImage(raw, join(dir, 'plain.qcow2'), 'qcow2', ['-o', 'cluster_size=65536']),
    qemuImage(raw, join(dir, 'zlib.qcow2'), 'qcow2', ['-c']),
    qemuImage(raw, join(dir, 'zstd.qcow2'), 'qcow2', ['-c', '-o', 'compression_type=zstd']),
  ]);
  web = await serve(dir);
  glimpse = await startGlimpse();
});

afterAll(async () => {
  await glimpse?.stop();
  web?.server.close();
  await rm(dir, { recursive: true, force: true });
});

const s3 = (): S3Client =>
  new S3Client({
    endpoint: glimpse.awsEndpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });

describe('import with the unmodified glance client', () => {
  it('glance-direct: converted to raw, packed sparse, bit-identical', async () => {
    const table = await glimpse.client('demo', 'glance', [
      'image-create-via-import',
      '--import-method',
      'glance-direct',
      '--name',
      'direct',
      '--disk-format',
      'qcow2',
      '--container-format',
      'bare',
      '--file',
      plain.path,
    ]);
    const id = idIn(table);
    const image = await settled(glimpse, 'demo', id);

    expect(image).toMatchObject({
      status: 'active',
      disk_format: 'raw',
      container_format: 'bare',
      size: plain.rawBytes,
      stores: 'central',
      os_glance_importing_to_stores: '',
      os_glance_failed_import: '',
    });
    expect(image['checksum']).toBe(await md5Of(plain.rawPath));
    const target = join(dir, 'direct.out');
    await glimpse.client('demo', 'glance', ['image-download', '--file', target, id]);
    expect(await md5Of(target)).toBe(await md5Of(plain.rawPath));
  });

  it.each([
    ['zlib', () => zlib],
    ['zstd', () => zstd],
  ] as const)('web-download of a %s image into three stores', async (name, disk) => {
    const table = await glimpse.client('demo', 'glance', [
      'image-create-via-import',
      '--import-method',
      'web-download',
      '--uri',
      `${web.url}/${name}.qcow2`,
      '--stores',
      STORES.join(','),
      '--name',
      name,
      '--disk-format',
      'qcow2',
      '--container-format',
      'bare',
    ]);
    const image = await settled(glimpse, 'demo', idIn(table));

    expect(image).toMatchObject({ status: 'active', stores: STORES.join(','), checksum: await md5Of(disk().rawPath) });
    const listed = await glimpse.client('demo', 'glance', ['image-list', '--include-stores']);
    expect(listed).toContain(`| ${name}`);
    expect(listed).toContain('central,dcn0,dcn1');
    for (const store of STORES)
      expect(await storedBytes(`glimpse-store-${store}`, image['id'])).toBeLessThan(80 * 1024 ** 2);
  });

  it('says what it offers: stores-info, import-info', async () => {
    expect(await glimpse.client('demo', 'glance', ['stores-info'])).toContain('dcn1');
    expect(await glimpse.client('demo', 'glance', ['import-info'])).toContain('web-download');
  });
});

describe('openstack image', () => {
  it('create, show, set, list, save and delete', async () => {
    const created = await glimpse.openstack<{ id: string; status: string; checksum: string }>(
      'demo',
      'image',
      'create',
      '--file',
      plain.path,
      '--disk-format',
      'qcow2',
      '--property',
      'hw_disk_bus=scsi',
      'cli',
    );
    // What the client prints is the record before the upload.
    expect(await settled(glimpse, 'demo', created.id)).toMatchObject({
      status: 'active',
      checksum: await md5Of(plain.path),
    });

    await glimpse.client('demo', 'openstack', [
      'image',
      'set',
      '--name',
      'cli-2',
      '--tag',
      'golden',
      '--property',
      'os_distro=debian',
      created.id,
    ]);
    const shown = await glimpse.openstack<{ name: string; tags: string[]; properties: Record<string, unknown> }>(
      'demo',
      'image',
      'show',
      'cli-2',
    );
    expect(shown).toMatchObject({
      name: 'cli-2',
      tags: ['golden'],
      properties: { os_distro: 'debian', hw_disk_bus: 'scsi' },
    });

    const listed = await glimpse.openstack<{ ID: string }[]>('demo', 'image', 'list');
    expect(listed.map((row) => row.ID)).toContain(created.id);

    const saved = join(dir, 'saved.qcow2');
    await glimpse.client('demo', 'openstack', ['image', 'save', '--file', saved, 'cli-2']);
    expect(await md5Of(saved)).toBe(await md5Of(plain.path));

    await glimpse.client('demo', 'openstack', ['image', 'delete', 'cli-2']);
    await expect(glimpse.client('demo', 'openstack', ['image', 'show', created.id])).rejects.toThrow(
      /No Image found|HttpException|404/,
    );
  });

  it('keeps a raw upload packed and its holes empty', async () => {
    const raw = join(dir, 'guest.raw');
    const created = await glimpse.openstack<{ id: string; size: number; checksum: string }>(
      'demo',
      'image',
      'create',
      '--file',
      raw,
      '--disk-format',
      'raw',
      'raw',
    );

    expect(await settled(glimpse, 'demo', created.id)).toMatchObject({
      size: 256 * 1024 ** 2,
      checksum: await md5Of(raw),
    });
    expect(await storedBytes('glimpse-store-central', created.id)).toBeLessThan(80 * 1024 ** 2);
    const response = await glimpse.api('demo', 'GET', `/v2/images/${created.id}/file`, {
      headers: { range: 'bytes=16777000-16778000' },
    });
    expect(response.status).toBe(206);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(await slice(raw, 16_777_000, 16_778_001));
  });
});

describe('bucket drop-in', () => {
  it('makes an image of a dropped file', async () => {
    const file = await slice(zlib.path, 0, Number.POSITIVE_INFINITY);
    await s3().send(
      new PutObjectCommand({
        Bucket: 'glimpse-staging',
        Key: 'drop/demo/dropped.qcow2',
        Body: file,
        Metadata: { 'property-os_distro': 'debian' },
      }),
    );
    const image = await appears('dropped');

    expect(await settled(glimpse, 'demo', image)).toMatchObject({
      status: 'active',
      disk_format: 'raw',
      os_distro: 'debian',
      checksum: await md5Of(zlib.rawPath),
    });
    await expect(
      s3().send(new HeadObjectCommand({ Bucket: 'glimpse-staging', Key: 'drop/demo/dropped.qcow2' })),
    ).rejects.toMatchObject({ name: 'NotFound' });
  });

  it('ends a file that cannot be used as a record with the reason', async () => {
    const broken = (await slice(plain.path, 0, Number.POSITIVE_INFINITY)).subarray(0, 3 * 1024 ** 2);
    await s3().send(new PutObjectCommand({ Bucket: 'glimpse-staging', Key: 'drop/demo/broken.qcow2', Body: broken }));
    const id = await appears('broken');
    const image = await settled(glimpse, 'demo', id);
    const { tasks } = (await (await glimpse.api('demo', 'GET', `/v2/images/${id}/tasks`)).json()) as {
      tasks: { status: string; message: string }[];
    };

    expect(image).toMatchObject({ status: 'queued', os_glance_failed_import: '' });
    expect(tasks[0]).toMatchObject({
      status: 'failure',
      message: expect.stringMatching(/outside|truncated/i) as string,
    });
  });

  it('quarantines a file for a project that does not exist', async () => {
    await s3().send(new PutObjectCommand({ Bucket: 'glimpse-staging', Key: 'drop/nobody/x.qcow2', Body: 'x' }));

    await expect
      .poll(
        async () =>
          (
            await s3()
              .send(new HeadObjectCommand({ Bucket: 'glimpse-staging', Key: 'quarantine/nobody/x.qcow2' }))
              .catch(() => undefined)
          )?.Metadata?.['reason'],
        { timeout: 15_000 },
      )
      .toContain('nobody');
  });
});

async function appears(name: string): Promise<string> {
  let id = '';
  await expect
    .poll(
      async () => {
        const { images } = (await (await glimpse.api('demo', 'GET', `/v2/images?name=${name}`)).json()) as {
          images: { id: string }[];
        };
        id = images[0]?.id ?? '';
        return id;
      },
      { timeout: 20_000 },
    )
    .not.toBe('');
  return id;
}

async function storedBytes(bucket: string, imageId: unknown): Promise<number> {
  const { Contents } = await s3().send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `images/${imageId}/` }));
  return (Contents ?? []).reduce((sum, object) => sum + (object.Size ?? 0), 0);
}

async function slice(path: string, start: number, end: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { start, end: end - 1 })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function idIn(table: string): string {
  const id = /\| id +\| ([0-9a-f-]{36})/.exec(table)?.[1];
  if (id === undefined) throw new Error(`no id in:\n${table}`);
  return id;
}

async function serve(folder: string): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    createReadStream(join(folder, request.url ?? ''))
      .on('error', () => response.writeHead(404).end())
      .pipe(response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
