/**
 * The service under the policies of the graph: each function, each container and the gateway acts under its own role, and the embedded
 * AWS, as strict as it can be, evaluates that role's policies for every call. What a policy lacks fails here and not first on AWS.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Asked, RoleInput } from '../../local/iam/iam.ts';
import type { Secrets } from '../../scripts/secrets.ts';
import { type Glimpse, startGlimpse } from '../support/glimpse.ts';
import { rolesOf } from '../support/graph-roles.ts';
import { type ImageClient, imageClient, lambdaOf, s3Of } from '../support/image-client.ts';
import { block, VHD_BLOCK, vhdDynamic } from '../unit/formats/disk-builders.ts';
import { statements } from './graph.ts';

const STORES = [
  { id: 'central', bucket: 'example-store-central', default: true },
  { id: 'frankfurt', bucket: 'example-store-frankfurt', region: 'eu-central-1' },
  { id: 'tokyo', bucket: 'example-store-tokyo', region: 'ap-northeast-1', sparse: false },
];
const LONG_MS = 180_000;

let dir: string;
let glimpse: Glimpse;
let images: ImageClient;
let roles: Record<string, RoleInput>;
let disk: Buffer;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'glimpse-roles-'));
  roles = rolesOf(inject('graphs')['production over three regions, with a Keystone']);
  const rolesFile = join(dir, 'roles.json');
  await writeFile(rolesFile, JSON.stringify(roles));
  disk = vhdDynamic(Array.from({ length: 48 }, (_, n) => (n % 3 === 0 ? block(n + 1, VHD_BLOCK) : undefined))).file;
  glimpse = await startGlimpse({
    readyWithinMs: LONG_MS / 2,
    config: { stores: STORES, image_import_plugins: ['image_conversion'] },
    env: { GLIMPSE_LOCAL_STRICT: JSON.stringify({ iam: { rolesFile }, dynamodb: {}, s3: {} }) },
  });
  images = imageClient(glimpse, 'demo');
}, LONG_MS);

afterAll(async () => {
  await glimpse?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** What roles asked for, of both processes of the embedded AWS. */
async function asked(): Promise<Asked[]> {
  const { controlToken } = JSON.parse(await readFile(join(glimpse.dataDir, 'secrets.json'), 'utf8')) as Secrets;
  const reports = ['s3/iam/report', 'iam/report'].map(async (path) => {
    const url = `${glimpse.awsEndpoint}/_glimpse/${path}`;
    const report = (await (await fetch(url, { headers: { 'x-glimpse-control': controlToken } })).json()) as {
      asked: Asked[];
    };
    return report.asked;
  });
  return (await Promise.all(reports)).flat();
}

const refused = async (): Promise<Asked[]> => (await asked()).filter(({ decision }) => decision !== 'allowed');

async function staged(name: string): Promise<string> {
  const { id } = await images.create({ name, disk_format: 'vhd' });
  expect(await images.put(id, 'stage', disk), glimpse.output()).toBe(204);
  return id;
}

/** The image that a dropped file became. */
async function dropped(name: string): Promise<string> {
  let found: string | undefined;
  await expect
    .poll(
      async () => {
        const answer = await glimpse.api('demo', 'GET', `/v2/images?name=${name}`);
        found = ((await answer.json()) as { images: { id: string }[] }).images[0]?.id;
        return found;
      },
      { timeout: 60_000, interval: 250 },
    )
    .toBeDefined();
  return found ?? '';
}

async function runJanitor(): Promise<void> {
  const { FunctionError, Payload } = await lambdaOf(glimpse).send(
    new InvokeCommand({ FunctionName: 'janitor', Payload: '{}' }),
  );
  expect(FunctionError, Buffer.from(Payload ?? []).toString()).toBeUndefined();
}

test(
  'every step of the life of an image is allowed to those who do it',
  async () => {
    const id = await staged('life');
    expect(
      await images.import(id, { method: { name: 'glance-direct' }, stores: ['central', 'frankfurt'] }),
    ).toMatchObject({ status: 202 });
    expect(await images.settled(id, 120_000), glimpse.output()).toMatchObject({
      ...{ status: 'active', disk_format: 'raw', stores: 'central,frankfurt', os_glance_failed_import: '' },
    });

    expect(
      await imageClient(glimpse, 'admin').import(id, { method: { name: 'copy-image' }, stores: ['tokyo'] }),
    ).toMatchObject({
      status: 202,
    });
    expect(await images.settled(id, 120_000)).toMatchObject({ stores: 'central,frankfurt,tokyo' });

    const file = await glimpse.api('demo', 'GET', `/v2/images/${id}/file`);
    expect([file.status, (await file.arrayBuffer()).byteLength]).toEqual([200, 48 * VHD_BLOCK]);

    await s3Of(glimpse).send(
      new PutObjectCommand({ Bucket: 'glimpse-staging', Key: 'drop/demo/dropped.vhd', Body: disk }),
    );
    const fromDrop = await dropped('dropped');
    // It is a queued image before its import takes hold of it.
    await expect
      .poll(async () => (await images.show(fromDrop)).status, { timeout: 120_000, interval: 500 })
      .toBe('active');

    for (const gone of [id, fromDrop])
      expect((await glimpse.api('demo', 'DELETE', `/v2/images/${gone}`)).status).toBe(204);
    await runJanitor();

    expect(await refused()).toEqual([]);
    const acted = new Set((await asked()).map(({ role }) => role));
    for (const role of [
      'api-images',
      'gateway',
      'import-begin',
      'import-plan',
      'import-render',
      'import-gather',
      'import-copy',
      'import-finish',
      'drop',
      'janitor',
    ])
      expect(acted).toContain(role);
    expect(glimpse.output()).not.toMatch(/not authorized|AccessDenied/);
  },
  LONG_MS,
);

test(
  'a right that one policy lacks ends the import, and the reason names it',
  async () => {
    const { policies } = roles['import-copy'] ?? { policies: [] };
    const without = policies
      .flatMap(statements)
      .filter(({ Resource }) => !Resource.some((arn) => arn.includes('example-store-')));
    const put = (input: RoleInput) =>
      fetch(`${glimpse.awsEndpoint}/_glimpse/s3/iam/roles/import-copy`, { method: 'PUT', body: JSON.stringify(input) });
    expect((await put({ policies: [{ Statement: without }] })).status).toBe(200);

    const id = await staged('refused');
    await images.import(id, { method: { name: 'glance-direct' }, stores: ['central'] });
    const image = await images.settled(id, 120_000);

    expect(image).toMatchObject({ status: 'queued', os_glance_failed_import: 'central' });
    expect(await refused()).toContainEqual(
      expect.objectContaining({ role: 'import-copy', resource: expect.stringContaining('example-store-central') }),
    );
  },
  LONG_MS,
);
