/**
 * The service as a deployment has it: every function is the package that the program of the deployment builds, in processes with
 * Lambda's limits, with the deployment's environment and under its own role; the embedded AWS is as strict as it can be.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Asked, RoleInput } from '../../local/iam/iam.ts';
import type { Strict } from '../../local/strict.ts';
import { type Deployment, makeDeployment, readDeployment } from '../../scripts/as-deployed.ts';
import type { Secrets } from '../../scripts/secrets.ts';
import { LOCAL_DEFAULTS } from '../../scripts/settings.ts';
import { statements } from '../infra/graph.ts';
import { type Account, type Glimpse, startGlimpse } from '../support/glimpse.ts';
import { type ImageClient, imageClient, lambdaOf, s3Of } from '../support/image-client.ts';
import { block, VHD_BLOCK, vhdDynamic } from '../unit/formats/disk-builders.ts';

const CONFIG = {
  ...LOCAL_DEFAULTS,
  image_import_plugins: ['image_decompression', 'image_conversion'],
  stores: [
    { id: 'central', bucket: 'example-store-central', default: true },
    { id: 'frankfurt', bucket: 'example-store-frankfurt', region: 'eu-central-1' },
    { id: 'tokyo', bucket: 'example-store-tokyo', region: 'ap-northeast-1', sparse: false },
  ],
  // The embedded AWS keeps no secrets; a deployment takes a folder that is named in full.
  signed_images: { key_manager: 'files', certificates_folder: join(tmpdir(), 'glimpse-as-deployed-certificates') },
};
const LONG_MS = 240_000;
const SOON_MS = 90_000;

let dir: string;
let deployment: string;
let disk: Buffer;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'glimpse-as-deployed-'));
  deployment = join(dir, 'deployment');
  await makeDeployment(CONFIG, deployment);
  disk = vhdDynamic(Array.from({ length: 6 }, (_, n) => (n % 3 === 0 ? block(n + 1, VHD_BLOCK) : undefined))).file;
}, LONG_MS);

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

const start = (strict: Strict): Promise<Glimpse> =>
  startGlimpse({
    readyWithinMs: LONG_MS / 2,
    config: CONFIG,
    env: { GLIMPSE_LOCAL_STRICT: JSON.stringify(strict) },
  });

async function asked(glimpse: Glimpse): Promise<Asked[]> {
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

async function staged(images: ImageClient, name: string, bytes = disk): Promise<string> {
  const { id } = await images.create({ name, disk_format: 'vhd' });
  expect(await images.put(id, 'stage', bytes)).toBe(204);
  return id;
}

async function runJanitor(glimpse: Glimpse): Promise<void> {
  const { FunctionError, Payload } = await lambdaOf(glimpse).send(
    new InvokeCommand({ FunctionName: 'janitor', Payload: '{}' }),
  );
  expect(FunctionError, Buffer.from(Payload ?? []).toString()).toBeUndefined();
}

describe('a deployment without a fault', () => {
  let glimpse: Glimpse;
  let images: ImageClient;
  let web: Server;
  /** The answer to a call that goes well. */
  const jsonOf = async (
    account: Account,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
  ): Promise<any> => {
    const answer = await glimpse.api(account, method, path, { headers, ...(body === undefined ? {} : { body }) });
    const text = await answer.text();
    expect(answer.ok, `${method} ${path}: ${answer.status} ${text}`).toBe(true);
    return text === '' ? undefined : JSON.parse(text);
  };

  beforeAll(async () => {
    glimpse = await start({ bundles: { deployment }, iam: {}, front: {}, dynamodb: {}, s3: {} });
    images = imageClient(glimpse, 'demo');
    web = createServer((_request, response) => response.end(disk)).listen(0, '127.0.0.1');
  }, LONG_MS);
  afterAll(async () => {
    web?.close();
    await glimpse?.stop();
  });

  test(
    'an image is staged, converted into two stores, copied to a third, read and deleted',
    async () => {
      const id = await staged(images, 'life');
      expect(
        await images.import(id, { method: { name: 'glance-direct' }, stores: ['central', 'frankfurt'] }),
      ).toMatchObject({ status: 202 });
      expect(await images.settled(id, SOON_MS), glimpse.output()).toMatchObject({
        ...{ status: 'active', disk_format: 'raw', stores: 'central,frankfurt', os_glance_failed_import: '' },
      });

      const copy = { method: { name: 'copy-image' }, stores: ['tokyo'] };
      expect(await imageClient(glimpse, 'admin').import(id, copy)).toMatchObject({ status: 202 });
      expect(await images.settled(id, SOON_MS), glimpse.output()).toMatchObject({ stores: 'central,frankfurt,tokyo' });

      const file = await glimpse.api('demo', 'GET', `/v2/images/${id}/file`);
      expect([file.status, (await file.arrayBuffer()).byteLength]).toEqual([200, 6 * VHD_BLOCK]);
      expect((await glimpse.api('demo', 'DELETE', `/v2/images/${id}`)).status).toBe(204);
      expect((await glimpse.api('demo', 'GET', `/v2/images/${id}`)).status).toBe(404);
    },
    LONG_MS,
  );

  test(
    'an image comes from the web, another one by being dropped',
    async () => {
      const { id } = await images.create({ name: 'web', disk_format: 'vhd' });
      const uri = `http://127.0.0.1:${(web.address() as AddressInfo).port}/disk.vhd`;
      expect(await images.import(id, { method: { name: 'web-download', uri } })).toMatchObject({ status: 202 });
      await s3Of(glimpse).send(
        new PutObjectCommand({ Bucket: 'glimpse-staging', Key: 'drop/demo/dropped.vhd', Body: disk }),
      );

      expect(await images.settled(id, SOON_MS), glimpse.output()).toMatchObject({
        status: 'active',
        disk_format: 'raw',
      });
      await expect
        .poll(
          async () => {
            const answer = await glimpse.api('demo', 'GET', '/v2/images?name=dropped');
            return ((await answer.json()) as { images: { status: string }[] }).images[0]?.status;
          },
          { timeout: SOON_MS, interval: 500 },
        )
        .toBe('active');
    },
    LONG_MS,
  );

  test(
    'an import that is refused goes back and says why',
    async () => {
      const { id } = await images.create({ name: 'wrong', disk_format: 'qcow2' });
      expect(await images.put(id, 'stage', Buffer.from('no disk at all'))).toBe(204);
      await images.import(id, { method: { name: 'glance-direct' } });

      expect(await images.settled(id, SOON_MS)).toMatchObject({ status: 'queued' });
      expect((await images.tasks(id))[0]).toMatchObject({ status: 'failure' });
    },
    LONG_MS,
  );

  test(
    'what is compressed is unpacked and converted; a copy in one store is deleted alone',
    async () => {
      const id = await staged(images, 'packed', gzipSync(disk));
      await images.import(id, { method: { name: 'glance-direct' }, stores: ['central', 'tokyo'] });
      const raw = { status: 'active', disk_format: 'raw', size: 6 * VHD_BLOCK };
      expect(await images.settled(id, SOON_MS), glimpse.output()).toMatchObject({ ...raw, stores: 'central,tokyo' });

      expect((await glimpse.api('admin', 'DELETE', `/v2/stores/central/${id}`)).status).toBe(204);
      expect(await images.show(id)).toMatchObject({ ...raw, stores: 'tokyo' });
      expect((await glimpse.api('demo', 'GET', `/v2/images/${id}/file`)).status).toBe(200);
    },
    LONG_MS,
  );

  test('an image is shared with a project, which accepts it', async () => {
    const { id } = await images.create({ name: 'shared' });
    const token = await glimpse.token('alt');
    const member = (await jsonOf('alt', 'GET', '/identity/v3/auth/tokens', undefined, { 'x-subject-token': token }))
      .token.project.id;
    const path = `/v2/images/${id}/members`;

    expect(await jsonOf('demo', 'POST', path, { member })).toMatchObject({ status: 'pending' });
    expect(await jsonOf('alt', 'PUT', `${path}/${member}`, { status: 'accepted' })).toMatchObject({
      status: 'accepted',
    });
    expect(await jsonOf('alt', 'GET', '/v2/images?visibility=shared')).toMatchObject({ images: [{ id }] });
    expect((await glimpse.api('demo', 'DELETE', `${path}/${member}`)).status).toBe(204);
    expect((await glimpse.api('alt', 'GET', `/v2/images/${id}`)).status).toBe(404);
  });

  test('a namespace is made, filled, read and removed', async () => {
    const namespaces = '/v2/metadefs/namespaces';
    await jsonOf('admin', 'POST', namespaces, { namespace: 'Example', visibility: 'public' });
    await jsonOf('admin', 'POST', `${namespaces}/Example/properties`, {
      name: 'colour',
      title: 'Colour',
      type: 'string',
    });
    await jsonOf('admin', 'POST', `${namespaces}/Example/tags/green`);

    expect(await jsonOf('demo', 'GET', `${namespaces}/Example`)).toMatchObject({
      ...{ namespace: 'Example', properties: { colour: { title: 'Colour' } }, tags: [{ name: 'green' }] },
    });
    expect((await glimpse.api('admin', 'DELETE', `${namespaces}/Example`)).status).toBe(204);
    expect((await glimpse.api('demo', 'GET', `${namespaces}/Example`)).status).toBe(404);
  });

  test('a project and a user are made, named and removed', async () => {
    const { project } = await jsonOf('admin', 'POST', '/identity/v3/projects', { project: { name: 'made' } });
    const { user } = await jsonOf('admin', 'POST', '/identity/v3/users', {
      user: { name: 'made', password: 'of-a-test' },
    });

    expect(await jsonOf('admin', 'GET', '/identity/v3/projects?name=made')).toMatchObject({
      projects: [{ id: project.id }],
    });
    expect(await jsonOf('admin', 'GET', `/identity/v3/users/${user.id}`)).toMatchObject({ user: { name: 'made' } });
    for (const path of [`users/${user.id}`, `projects/${project.id}`])
      expect((await glimpse.api('admin', 'DELETE', `/identity/v3/${path}`)).status).toBe(204);
  });

  test('tasks are listed and shown, and what stores can is told', async () => {
    const { tasks } = await jsonOf('admin', 'GET', '/v2/tasks?limit=1');
    expect(tasks).toHaveLength(1);
    expect(await jsonOf('admin', 'GET', `/v2/tasks/${tasks[0].id}`)).toMatchObject({ id: tasks[0].id });

    const { stores } = await jsonOf('admin', 'GET', '/v2/info/stores/detail');
    expect(stores[2]).toMatchObject({ id: 'tokyo', properties: { verifies_crc32: true } });
  });

  test('what others are refused is not what the owner gets', async () => {
    const { id } = await images.create({ name: 'hers' });
    for (const path of [`/v2/images/${id}`, `/v2/images/${id}/file`]) {
      expect((await glimpse.api('alt', 'GET', path)).status).toBe(404);
      expect([200, 204]).toContain((await glimpse.api('demo', 'GET', path)).status);
    }
  });

  test('a request that is more than a function takes is refused before it', async () => {
    const body = { name: 'x'.repeat(7 * 1024 * 1024) };
    const answer = await glimpse.api('demo', 'POST', '/v2/images', { body });

    expect([answer.status, await answer.text()]).toEqual([413, expect.stringContaining('Request Too Long')]);
    const long = { 'x-long': 'x'.repeat(10_240) };
    expect((await glimpse.api('demo', 'GET', '/v2/images', { headers: long })).status).toBe(431);
  });

  test('namespaces are listed and a token is shown', async () => {
    const token = await glimpse.token('demo');
    const shown = await glimpse.api('demo', 'GET', '/identity/v3/auth/tokens', {
      headers: { 'x-subject-token': token },
    });
    expect([shown.status, ((await shown.json()) as { token: { user: { name: string } } }).token.user.name]).toEqual([
      200,
      'demo',
    ]);

    const listed = await glimpse.api('demo', 'GET', '/v2/metadefs/namespaces?limit=1');
    expect([listed.status, ((await listed.json()) as { namespaces: unknown[] }).namespaces.length]).toEqual([200, 1]);
  });

  test('all of it is allowed to who does it, and every step was a package', async () => {
    await runJanitor(glimpse);
    const all = await asked(glimpse);

    expect(all.filter(({ decision }) => decision !== 'allowed')).toEqual([]);
    expect([...new Set(all.map(({ role }) => role))]).toEqual(
      expect.arrayContaining([
        ...['api-images', 'api-identity', 'api-metadefs', 'gateway', 'drop', 'janitor'],
        ...['begin', 'fetch', 'inspect', 'plan', 'render', 'gather', 'hash', 'copy', 'finish', 'clean', 'revert'].map(
          (step) => `import-${step}`,
        ),
      ]),
    );
  });

  test(
    'a store whose right was taken away fails alone, or with the import, as its request says',
    async () => {
      const { roles } = await readDeployment(deployment);
      const without = (roles['import-copy'] ?? { policies: [] }).policies
        .flatMap(statements)
        .map((statement) => ({
          ...statement,
          Resource: statement.Resource.filter((arn) => !arn.includes('example-store-frankfurt')),
        }))
        .filter(({ Resource }) => Resource.length > 0);
      const put = (input: RoleInput) =>
        fetch(`${glimpse.awsEndpoint}/_glimpse/s3/iam/roles/import-copy`, {
          method: 'PUT',
          body: JSON.stringify(input),
        });
      expect((await put({ policies: [{ Statement: without }] })).status).toBe(200);

      const id = await staged(images, 'one store');
      await images.import(id, {
        ...{ method: { name: 'glance-direct' }, stores: ['central', 'frankfurt'], all_stores_must_succeed: false },
      });
      expect(await images.settled(id, SOON_MS)).toMatchObject({
        ...{ status: 'active', stores: 'central', os_glance_failed_import: 'frankfurt' },
      });
      const refused = (await asked(glimpse)).filter(({ decision }) => decision !== 'allowed');
      expect(refused.map(({ role }) => role)).toContain('import-copy');
      expect(refused.every(({ resource }) => resource.includes('example-store-frankfurt'))).toBe(true);
    },
    LONG_MS,
  );
});

describe('a deployment with faults', () => {
  let glimpse: Glimpse;
  let images: ImageClient;

  beforeAll(async () => {
    const faulty = join(dir, 'faulty');
    await cp(deployment, faulty, { recursive: true });
    const { functions, roles } = await readDeployment(deployment);
    const config = functions['api-metadefs'].environment['GLIMPSE_CONFIG'] ?? '';
    await rm(join(faulty, 'packages/api-metadefs', config));
    const changed: Deployment = {
      roles,
      functions: {
        ...functions,
        // Less than a process of Node holds when it does nothing.
        'import-fetch': { ...functions['import-fetch'], memoryMiB: 40 },
        // Less than one request of the table takes.
        'import-inspect': { ...functions['import-inspect'], timeoutSeconds: 0.01 },
      },
    };
    await writeFile(join(faulty, 'deployment.json'), JSON.stringify(changed));
    glimpse = await start({ bundles: { deployment: faulty }, iam: {} });
    images = imageClient(glimpse, 'demo');
  }, LONG_MS);
  afterAll(async () => {
    await glimpse?.stop();
  });

  const invoked = async (name: string, event: object): Promise<unknown> => {
    const { Payload } = await lambdaOf(glimpse).send(
      new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(event) }),
    );
    return JSON.parse(Buffer.from(Payload ?? []).toString());
  };

  test('a file that a package lacks fails what needs it, and nothing else', async () => {
    expect((await glimpse.api('demo', 'GET', '/v2/metadefs/namespaces')).status).toBe(500);
    expect((await glimpse.api('demo', 'GET', '/v2/images')).status).toBe(200);
  });

  test(
    'a long step without memory goes on as a container; a short one out of time ends the import after its attempts',
    async () => {
      const id = await staged(images, 'faults');
      await images.import(id, { method: { name: 'glance-direct' } });

      expect(await images.settled(id, LONG_MS / 2), glimpse.output()).toMatchObject({ status: 'queued' });
      expect((await images.tasks(id))[0]).toMatchObject({
        ...{ status: 'failure', message: 'The import took longer than allowed' },
      });
      expect((await asked(glimpse)).map(({ role }) => role)).toContain('import-fetch-container');
      const ids = { taskId: id, imageId: id };
      expect(await invoked('import-fetch', ids)).toMatchObject({ errorType: 'Runtime.ExitError' });
      expect(await invoked('import-inspect', ids)).toMatchObject({ errorType: 'Sandbox.Timedout' });
    },
    LONG_MS,
  );
});
