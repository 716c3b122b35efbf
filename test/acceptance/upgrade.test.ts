/** A data folder that an earlier release wrote (test/fixtures/data-of-first-release): everything in it is there, and can be worked with. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { type Account, type Glimpse, settled, startGlimpse } from '../support/glimpse.ts';

const FIXTURE = join(import.meta.dirname, '../fixtures/data-of-first-release');

interface Expected {
  readonly url: string;
  readonly staged: string;
  /** SHA-512 of image data, by image id. */
  readonly files: Readonly<Record<string, string>>;
  readonly user: { readonly id: string };
  readonly project: { readonly id: string };
  readonly credential: { readonly id: string };
  readonly answers: readonly { readonly account: Account; readonly path: string; readonly body: object }[];
}

const text = await readFile(join(FIXTURE, 'expected.json'), 'utf8');
const written = JSON.parse(text) as Expected;
let glimpse: Glimpse;
let dir: string;
/** As written, with the address that the service has now. */
let expected: Expected;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'glimpse-upgrade-'));
  const dataDir = join(dir, 'data');
  await mkdir(dataDir);
  execFileSync('tar', ['-xzf', join(FIXTURE, 'data.tar.gz'), '-C', dataDir]);
  glimpse = await startGlimpse({ dataDir });
  expected = JSON.parse(text.replaceAll(written.url, glimpse.url)) as Expected;
});

afterAll(async () => {
  await glimpse.stop();
  await rm(dir, { recursive: true, force: true });
});

async function get(account: Account, path: string): Promise<Record<string, unknown>> {
  const answer = await glimpse.api(account, 'GET', path);
  expect(answer.status, path).toBe(200);
  return (await answer.json()) as Record<string, unknown>;
}

describe('what was written', () => {
  test.each(written.answers.map(({ account, path }, n) => ({ account, path, n })))(
    'GET $path as $account',
    async ({ account, path, n }) => {
      const before = expected.answers[n]?.body ?? {};
      const now = await get(account, path);
      if (path.startsWith('/v2/metadefs/namespaces?')) {
        // A release may bring more definitions.
        const names = (body: object) =>
          (body as { namespaces: { namespace: string }[] }).namespaces.map(({ namespace }) => namespace);
        expect(names(now)).toEqual(expect.arrayContaining(names(before)));
      } else expect(now).toMatchObject(before);
    },
  );

  test.each(Object.entries(written.files))('the data of image %s', async (id, sha512) => {
    const answer = await glimpse.api('admin', 'GET', `/v2/images/${id}/file`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(createHash('sha512').update(bytes).digest('hex')).toBe(sha512);
  });
});

describe('goes on', () => {
  it.each([
    [
      'a user with the password of then',
      () => ({
        identity: {
          methods: ['password'],
          password: { user: { id: expected.user.id, password: 'a password of hers' } },
        },
        scope: { project: { id: expected.project.id } },
      }),
    ],
    [
      'an application credential',
      () => ({
        identity: {
          methods: ['application_credential'],
          application_credential: { id: expected.credential.id, secret: 'the secret of a pipeline' },
        },
      }),
    ],
  ])('%s logs in', async (_who, auth) => {
    const answer = await fetch(`${glimpse.url}/identity/v3/auth/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ auth: auth() }),
    });
    expect(answer.status, await answer.text()).toBe(201);
  });

  it('what was staged is imported', async () => {
    const { staged } = expected;
    const body = { method: { name: 'glance-direct' }, all_stores: true };
    const answer = await glimpse.api('demo', 'POST', `/v2/images/${staged}/import`, {
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status, await answer.text()).toBe(202);

    expect(await settled(glimpse, 'demo', staged)).toMatchObject({ status: 'active', stores: 'central,dcn0,dcn1' });
  });

  it('an image is changed, copied to another store and deleted', async () => {
    const image = Object.keys(expected.files)[2] ?? '';
    const json = { 'content-type': 'application/json' };
    const patched = await glimpse.api('demo', 'PATCH', `/v2/images/${image}`, {
      body: [{ op: 'add', path: '/since', value: 'the upgrade' }],
      headers: { 'content-type': 'application/openstack-images-v2.1-json-patch' },
    });
    expect(await patched.json()).toMatchObject({ id: image, since: 'the upgrade' });

    // Copying is an administrator's right by default.
    const copied = await glimpse.api('admin', 'POST', `/v2/images/${image}/import`, {
      body: { method: { name: 'copy-image' }, stores: ['dcn1'] },
      headers: json,
    });
    expect(copied.status, await copied.text()).toBe(202);
    expect(await settled(glimpse, 'demo', image)).toMatchObject({ stores: 'central,dcn1' });

    expect((await glimpse.api('demo', 'DELETE', `/v2/images/${image}`)).status).toBe(204);
    expect((await glimpse.api('demo', 'GET', `/v2/images/${image}`)).status).toBe(404);
  });
});
