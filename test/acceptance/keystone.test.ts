/** `identity.mode: keystone` against the Keystone that Debian packages: its tokens, its catalog, its revocations. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Glimpse, runClient, startGlimpse } from '../support/glimpse.ts';
import {
  type Account,
  addAccount,
  addImageEndpoint,
  grantSystem,
  hasKeystone,
  issueToken,
  type Keystone,
  osVariables,
  startKeystone,
} from './support/keystone.ts';

const SERVICE: Account = { user: 'glance', password: 'of the service', project: 'service' };
const PEOPLE = {
  admin: { user: 'boss', password: 'of the boss', project: 'demo' },
  member: { user: 'anna', password: 'of anna', project: 'demo' },
  reader: { user: 'rita', password: 'of rita', project: 'demo' },
  stranger: { user: 'otto', password: 'of otto', project: 'other' },
} as const satisfies Record<string, Account>;

describe.skipIf(!hasKeystone)('an existing Keystone (skipped without the package python3-keystone)', () => {
  let dir: string;
  let keystone: Keystone;
  let glimpse: Glimpse;
  let endpoint: { serviceId: string; endpointId: string };
  let ids: Record<keyof typeof PEOPLE, { userId: string; projectId: string }>;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'glimpse-keystone-'));
    keystone = await startKeystone(join(dir, 'keystone'));
    const service = await addAccount(keystone, SERVICE, ['admin']);
    await grantSystem(keystone, service.userId, 'reader');
    ids = {
      admin: await addAccount(keystone, PEOPLE.admin, ['admin']),
      member: await addAccount(keystone, PEOPLE.member, ['member']),
      reader: await addAccount(keystone, PEOPLE.reader, ['reader']),
      stranger: await addAccount(keystone, PEOPLE.stranger, ['member']),
    };
    glimpse = await startGlimpse({ config: { identity: identity() } });
    endpoint = await addImageEndpoint(keystone, glimpse.url);
    await writeFile(join(dir, 'disk.raw'), 'bytes of a disk');
  });
  afterAll(async () => {
    await glimpse?.stop();
    await keystone?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const identity = () => ({
    mode: 'keystone',
    auth_url: keystone.url,
    username: SERVICE.user,
    password: SERVICE.password,
    project_name: SERVICE.project,
    token_cache_time: 0,
  });
  const images = (token: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${glimpse.url}/v2/images`, { ...init, headers: { 'x-auth-token': token } });
  const client = (who: keyof typeof PEOPLE, command: string, ...args: string[]): Promise<string> =>
    runClient(command, args, {
      env: { ...process.env, ...osVariables(keystone.url, PEOPLE[who]) },
      cwd: dir,
      timeoutMs: 400_000,
    });

  it('openstack and glance find the service in its catalog and work with it', async () => {
    const created = JSON.parse(
      await client(
        'member',
        'openstack',
        'image',
        'create',
        '--file',
        'disk.raw',
        '--disk-format',
        'raw',
        'ours',
        '-f',
        'json',
      ),
    ) as { id: string; owner: string };
    expect(created.owner).toBe(ids.member.projectId);

    const [shown, listed] = await Promise.all([
      client('reader', 'openstack', 'image', 'show', 'ours'),
      client('stranger', 'glance', 'image-list'),
      client('member', 'openstack', 'image', 'save', '--file', join(dir, 'saved'), created.id),
    ]);
    expect(shown).toContain('active');
    expect(listed).not.toContain(created.id);

    await client('member', 'openstack', 'image', 'add', 'project', created.id, ids.stranger.projectId);
    await client('stranger', 'openstack', 'image', 'set', '--accept', created.id);
    expect(await client('stranger', 'openstack', 'image', 'list')).toContain(created.id);
  });

  it('roles come from Keystone, with the roles they imply', async () => {
    const [admin, member, reader] = await Promise.all(
      (['admin', 'member', 'reader'] as const).map((who) => issueToken(keystone.url, PEOPLE[who])),
    );
    const make = async (token = '', visibility: string): Promise<number> =>
      (await images(token, { method: 'POST', body: JSON.stringify({ name: 'x', visibility }) })).status;

    expect(await make(admin, 'public')).toBe(201);
    expect(await make(member, 'public')).toBe(403);
    expect(await make(member, 'private')).toBe(201);
    expect(await make(reader, 'private')).toBe(403);
    expect((await images(reader ?? '')).status).toBe(200);
  });

  it('a file dropped into the bucket finds its project there, by name and by id, or is set aside', async () => {
    const s3 = new S3Client({
      endpoint: glimpse.awsEndpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    const Bucket = 'glimpse-staging';
    const aside = async (key: string): Promise<string | undefined> => {
      const head = await s3.send(new HeadObjectCommand({ Bucket, Key: `quarantine/${key}` })).catch(() => undefined);
      return head?.Metadata?.['reason'];
    };
    const token = await issueToken(keystone.url, PEOPLE.member);
    const active = async (): Promise<string[]> => {
      const { images: all } = (await (await images(token)).json()) as { images: { name: string; status: string }[] };
      return all.filter(({ status }) => status === 'active').map(({ name }) => name);
    };

    await Promise.all(
      [`demo/by-name.raw`, `${ids.member.projectId}/by-id.raw`, 'nobody/x.raw'].map((key) =>
        s3.send(new PutObjectCommand({ Bucket, Key: `drop/${key}`, Body: 'bytes of a disk' })),
      ),
    );

    await expect.poll(active, { timeout: 30_000 }).toEqual(expect.arrayContaining(['by-name', 'by-id']));
    await expect.poll(() => aside('nobody/x.raw'), { timeout: 30_000 }).toContain('nobody');
    s3.destroy();
  });

  it('limits are those that are registered there, and a project’s own', async () => {
    const { serviceId: service_id, endpointId: endpoint_id } = endpoint;
    const limit = { service_id, region_id: 'RegionOne', resource_name: 'image_count_total' };
    await keystone.call('POST', '/registered_limits', { registered_limits: [{ ...limit, default_limit: 1 }] });
    await keystone.call('POST', '/limits', {
      limits: [{ ...limit, project_id: ids.stranger.projectId, resource_limit: 2 }],
    });
    const limited = await startGlimpse({
      config: { identity: identity(), use_keystone_limits: true, oslo_limit: { endpoint_id } },
    });
    try {
      const [member = '', stranger = ''] = await Promise.all(
        [PEOPLE.member, PEOPLE.stranger].map((who) => issueToken(keystone.url, who)),
      );
      const call = async (token: string, path: string, init: RequestInit = {}): Promise<Response> =>
        fetch(`${limited.url}/v2${path}`, { ...init, headers: { 'x-auth-token': token } });
      const create = (token: string) => call(token, '/images', { method: 'POST', body: '{}' });

      expect((await create(member)).status).toBe(201);
      const refused = await create(member);
      expect(refused.status).toBe(413);
      expect(await refused.text()).toContain('image_count_total is over limit of 1 due to current usage 1 and delta 1');
      expect([(await create(stranger)).status, (await create(stranger)).status]).toEqual([201, 201]);
      expect((await create(stranger)).status).toBe(413);
      expect(await (await call(member, '/info/usage')).json()).toMatchObject({
        usage: { image_count_total: { usage: 1, limit: 1 }, image_size_total: { usage: 0, limit: 0 } },
      });
    } finally {
      await limited.stop();
    }
  });

  it('a token that is revoked there is refused at the next request', async () => {
    const token = await issueToken(keystone.url, PEOPLE.member);
    expect((await images(token)).status).toBe(200);

    await fetch(`${keystone.url}/auth/tokens`, {
      method: 'DELETE',
      headers: { 'x-auth-token': token, 'x-subject-token': token },
    });

    const answer = await images(token);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe(`Keystone uri="${keystone.url}"`);
  });

  it('so are nonsense and the tokens of a user that was disabled', async () => {
    const token = await issueToken(keystone.url, PEOPLE.reader);
    expect((await images(token)).status).toBe(200);
    await keystone.call('PATCH', `/users/${ids.reader.userId}`, { user: { enabled: false } });

    expect((await images(token)).status).toBe(401);
    expect((await images('nonsense')).status).toBe(401);
  });

  it('an unscoped token may do nothing', async () => {
    const { user, password } = PEOPLE.member;
    const answer = await fetch(`${keystone.url}/auth/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        auth: {
          identity: { methods: ['password'], password: { user: { name: user, domain: { id: 'default' }, password } } },
          scope: 'unscoped',
        },
      }),
    });

    expect((await images(answer.headers.get('x-subject-token') ?? '')).status).toBe(403);
  });

  it('answers 503 while Keystone is away, and goes on when it is back', async () => {
    const token = await issueToken(keystone.url, PEOPLE.member);
    await keystone.stop();

    expect((await images(token)).status).toBe(503);
    expect((await fetch(`${glimpse.url}/versions`)).status).toBe(200);
    await keystone.start();

    expect((await images(token)).status).toBe(200);
  });

  it('there are no accounts and no identity service of our own', async () => {
    expect((await fetch(`${glimpse.url}/identity/v3`)).status).toBe(404);
    expect((await readdir(glimpse.dataDir)).filter((name) => /openrc|clouds/.test(name))).toEqual([]);
    expect(glimpse.output()).toContain(keystone.url);
  });
});
