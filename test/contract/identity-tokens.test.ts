import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { catalogView } from '../../api/identity/views.ts';
import type { Table } from '../../aws/dynamodb/table.ts';
import { parseConfig } from '../../core/config.ts';
import type { Identity } from '../../core/identity/identity.ts';
import { createIdentityApi } from '../../functions/api/identity/api.ts';
import { placeOf } from '../../functions/api/identity/places.ts';
import { held } from '../support/held.ts';
import {
  type MovableClock,
  movableClock,
  newSigningKey,
  PASSWORDS,
  proxyEvent,
  startIdentity,
} from '../support/identity.ts';
import { startTable } from '../support/table.ts';

let running: { table: Table; close(): Promise<void> };
let clock: MovableClock;
let identity: Identity;
const key = newSigningKey();
const config = parseConfig({ stores: [{ id: 'central', bucket: 'central' }] });
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

beforeAll(async () => {
  running = await startTable();
  clock = movableClock();
  identity = await startIdentity(running.table, clock, await key);
});
afterAll(async () => {
  await running.close();
});
beforeEach(() => {
  // Another window for the attempts that are counted, and an empty cache.
  clock.advance(60_000);
});

async function call(
  method: string,
  path: string,
  options: { token?: string; subject?: string; body?: unknown; by?: Identity; from?: Record<string, string> } = {},
) {
  const handler = held(
    createIdentityApi({
      config,
      edgeSecret: 'of-the-edge',
      identity: options.by ?? identity,
      newId: () => crypto.randomUUID(),
      log: silent,
    }),
  );
  const headers = {
    ...options.from,
    ...(options.token === undefined ? {} : { 'x-auth-token': options.token }),
    ...(options.subject === undefined ? {} : { 'x-subject-token': options.subject }),
  };
  const result = await handler(proxyEvent(method, `/identity${path}`, { headers, body: options.body }));
  return { ...result, headers: result.headers ?? {}, json: result.body ? JSON.parse(result.body) : undefined };
}

const byPassword = (name: string, password: string, scope?: object | string) => ({
  auth: {
    identity: { methods: ['password'], password: { user: { name, domain: { name: 'Default' }, password } } },
    ...(scope === undefined ? {} : { scope }),
  },
});
const byToken = (id: string, scope?: object | string) => ({
  auth: { identity: { methods: ['token'], token: { id } }, ...(scope === undefined ? {} : { scope }) },
});
const project = (name: string) => ({ project: { name, domain: { id: 'default' } } });

async function tokenOf(name: keyof typeof PASSWORDS, scope?: object | string): Promise<string> {
  const answer = await call('POST', '/v3/auth/tokens', { body: byPassword(name, PASSWORDS[name], scope) });
  expect(answer.statusCode).toBe(201);
  return String(answer.headers['x-subject-token']);
}

describe('discovery', () => {
  it.each(['', '/'])('answers GET /identity%s with 300 and where v3 is', async (path) => {
    const answer = await call('GET', path);

    expect(answer.statusCode).toBe(300);
    expect(answer.headers).toMatchObject({ location: 'http://glimpse.test/identity/v3/', vary: 'X-Auth-Token' });
    expect(answer.json.versions.values).toMatchObject([
      { id: 'v3.14', status: 'stable', links: [{ rel: 'self', href: 'http://glimpse.test/identity/v3/' }] },
    ]);
  });

  it.each(['/v3', '/v3/'])('answers GET /identity%s with the version', async (path) => {
    const answer = await call('GET', path);

    expect(answer.statusCode).toBe(200);
    expect(answer.json.version.id).toBe('v3.14');
  });

  it('says 405 with Allow and 404 in Keystone form', async () => {
    expect(await call('DELETE', '/v3')).toMatchObject({ statusCode: 405, headers: { allow: 'GET' } });
    expect((await call('GET', '/v3/unknown')).json.error).toMatchObject({ code: 404, title: 'Not Found' });
  });
});

it('answers 404 everywhere when tokens come from an existing Keystone', async () => {
  const elsewhere = { mode: 'keystone', auth_url: 'http://keystone.test/v3' };
  const handler = held(
    createIdentityApi({
      config: parseConfig({ stores: [{ id: 'central', bucket: 'central' }], identity: elsewhere }),
      identity,
      newId: () => crypto.randomUUID(),
      log: silent,
    }),
  );

  const answer = await handler(proxyEvent('GET', '/identity/v3'));

  expect(answer.statusCode).toBe(404);
  expect(answer.body).toContain('http://keystone.test/v3');
});

describe('POST /v3/auth/tokens', () => {
  it('gives a project token with implied roles and both services at every interface', async () => {
    const answer = await call('POST', '/v3/auth/tokens', { body: byPassword('demo', PASSWORDS.demo, project('demo')) });

    expect(answer.statusCode).toBe(201);
    expect(answer.headers).toMatchObject({
      vary: 'X-Auth-Token',
      'x-openstack-request-id': expect.stringMatching(/^req-/),
    });
    const { token } = answer.json;
    expect(token).toMatchObject({
      methods: ['password'],
      user: { name: 'demo', domain: { id: 'default', name: 'Default' }, password_expires_at: null },
      project: { name: 'demo', domain: { id: 'default', name: 'Default' } },
      is_domain: false,
    });
    expect(token.roles.map((role: { name: string }) => role.name)).toEqual(['member', 'reader']);
    expect(token.issued_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(Date.parse(token.expires_at) - Date.parse(token.issued_at)).toBe(3_600_000);
    expect(token.catalog.map((service: { type: string }) => service.type)).toEqual(['image', 'identity']);
    expect(token.catalog[0].endpoints).toHaveLength(3);
    expect(token.catalog[0].endpoints[0]).toMatchObject({
      interface: 'public',
      region: 'RegionOne',
      region_id: 'RegionOne',
      url: 'http://glimpse.test',
    });
  });

  it.each([
    ['admin', { system: { all: true } }, { system: { all: true } }],
    ['admin', project('admin'), { project: { name: 'admin' } }],
    ['demo', undefined, { project: { name: 'demo' } }],
  ] as const)('scopes %s as asked for', async (name, scope, expected) => {
    const answer = await call('POST', '/v3/auth/tokens?nocatalog', { body: byPassword(name, PASSWORDS[name], scope) });

    expect(answer.statusCode).toBe(201);
    expect(answer.json.token).toMatchObject(expected);
    expect(answer.json.token).not.toHaveProperty('catalog');
  });

  it.each(['unscoped', { unscoped: {} }])('gives an unscoped token without roles for %j', async (scope) => {
    const { json } = await call('POST', '/v3/auth/tokens', { body: byPassword('demo', PASSWORDS.demo, scope) });

    for (const absent of ['project', 'roles', 'catalog', 'system', 'domain'])
      expect(json.token).not.toHaveProperty(absent);
  });

  it.each([
    ['a wrong password', byPassword('demo', 'wrong')],
    ['an unknown user', byPassword('nobody', 'wrong')],
    ['a project without a role', byPassword('demo', PASSWORDS.demo, project('alt'))],
    ['an unknown project', byPassword('demo', PASSWORDS.demo, project('none'))],
    ['a domain without a role', byPassword('demo', PASSWORDS.demo, { domain: { id: 'default' } })],
    ['the system without a role', byPassword('demo', PASSWORDS.demo, { system: { all: true } })],
    ['an unsupported method', { auth: { identity: { methods: ['totp'] } } }],
  ])('answers %s with 401 and a challenge', async (_, body) => {
    const answer = await call('POST', '/v3/auth/tokens', { body });

    expect(answer).toMatchObject({
      statusCode: 401,
      headers: { 'www-authenticate': 'Keystone uri="http://glimpse.test/identity"' },
      json: { error: { code: 401, title: 'Unauthorized', message: expect.any(String) } },
    });
  });

  it.each([
    ['no JSON', '{'],
    ['nothing', undefined],
    ['no auth', {}],
    ['no methods', { auth: { identity: { methods: [] } } }],
    ['no user', { auth: { identity: { methods: ['password'], password: {} } } }],
    [
      'a name without a domain',
      { auth: { identity: { methods: ['password'], password: { user: { name: 'demo', password: 'x' } } } } },
    ],
    ['two scopes', byPassword('demo', 'x', { project: { id: 'a' }, system: { all: true } })],
    ['an array', []],
  ])('answers %s with 400', async (_, body) => {
    expect(await call('POST', '/v3/auth/tokens', { body })).toMatchObject({
      statusCode: 400,
      json: { error: { code: 400, message: expect.any(String) } },
    });
  });

  it.each([
    ['a body of NUL bytes', '\u0000\u0000'],
    ['deep nesting', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
    ['a null', 'null'],
    ['a name that is a number', byPassword(7 as never, 'x')],
    ['a name of 300 characters', byPassword('x'.repeat(300), 'x')],
    ['a password of 5,000 characters', byPassword('demo', 'x'.repeat(5000))],
  ])('answers %s with 400', async (_, body) => {
    expect((await call('POST', '/v3/auth/tokens', { body })).statusCode).toBe(400);
  });

  it('takes names with any characters as names', async () => {
    for (const name of ['../../etc', 'a\u0000b', 'ключ', '#NAME#', '__proto__'])
      expect((await call('POST', '/v3/auth/tokens', { body: byPassword(name, 'x') })).statusCode).toBe(401);
  });

  it('answers a body over 112 KiB with 413', async () => {
    expect((await call('POST', '/v3/auth/tokens', { body: 'x'.repeat(114_689) })).statusCode).toBe(413);
  });

  it('counts wrong passwords by the client that the edge names, so that nobody locks out others', async () => {
    const by = (client: string) => ({ 'x-glimpse-edge': 'of-the-edge', 'x-glimpse-client': client });
    for (let n = 0; n < 10; n += 1)
      await call('POST', '/v3/auth/tokens', { body: byPassword('alt', 'guess'), from: by('198.51.100.7') });
    const right = byPassword('alt', PASSWORDS.alt);

    const guesser = await call('POST', '/v3/auth/tokens', { body: right, from: by('198.51.100.7') });
    const owner = await call('POST', '/v3/auth/tokens', { body: right, from: by('203.0.113.9') });

    expect([guesser.statusCode, owner.statusCode]).toEqual([429, 201]);
  });

  it.each([
    ['without the secret', (n: number) => ({ 'x-glimpse-client': `198.51.100.${n}` })],
    ['with another one', (n: number) => ({ 'x-glimpse-edge': 'guess', 'x-glimpse-client': `198.51.100.${n}` })],
    [
      'as a proxy would',
      (n: number) => ({ 'x-forwarded-for': `198.51.100.${n}`, 'cloudfront-viewer-address': `::${n}` }),
    ],
  ])('is not told by a client where it comes from, %s', async (_name, from) => {
    for (let n = 0; n < 10; n += 1)
      await call('POST', '/v3/auth/tokens', { body: byPassword('alt', 'guess'), from: from(n) });

    const answer = await call('POST', '/v3/auth/tokens', { body: byPassword('alt', PASSWORDS.alt), from: from(99) });

    expect(answer.statusCode).toBe(429);
  });

  it('answers 429 with Retry-After after ten wrong passwords, from any process, and not for another account', async () => {
    const second = await startIdentity(running.table, clock, await key);
    for (let n = 0; n < 10; n += 1)
      expect((await call('POST', '/v3/auth/tokens', { body: byPassword('alt', 'guess') })).statusCode).toBe(401);

    const refused = await call('POST', '/v3/auth/tokens', { body: byPassword('alt', PASSWORDS.alt), by: second });

    expect(refused.statusCode).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    await tokenOf('demo');
    clock.advance(60_000);
    await tokenOf('alt');
  });

  it('holds a burst of simultaneous guesses to the limit', async () => {
    const guesses = await Promise.all(
      Array.from({ length: 20 }, () => call('POST', '/v3/auth/tokens', { body: byPassword('reader', 'guess') })),
    );

    const checked = guesses.filter(({ statusCode }) => statusCode === 401).length;
    expect(checked).toBeGreaterThanOrEqual(10);
    expect(checked).toBeLessThanOrEqual(11);
  });
});

describe('method token', () => {
  it('re-scopes without a longer life and keeps the first audit id', async () => {
    const unscoped = await tokenOf('demo', 'unscoped');
    const before = (await call('GET', '/v3/auth/tokens', { token: unscoped, subject: unscoped })).json.token;
    clock.advance(600_000);

    const answer = await call('POST', '/v3/auth/tokens', { body: byToken(unscoped, project('demo')) });

    expect(answer.statusCode).toBe(201);
    expect(answer.json.token.expires_at).toBe(before.expires_at);
    expect(answer.json.token.methods).toEqual(['password', 'token']);
    expect(answer.json.token.audit_ids).toEqual([expect.any(String), before.audit_ids[0]]);
  });

  it('answers an unknown or expired token with 404', async () => {
    const old = await tokenOf('demo');
    clock.advance(3_600_001);

    for (const id of ['nonsense', old])
      expect((await call('POST', '/v3/auth/tokens', { body: byToken(id) })).statusCode).toBe(404);
  });
});

describe('token operations', () => {
  it('shows, checks and revokes the own token', async () => {
    const token = await tokenOf('demo');

    const shown = await call('GET', '/v3/auth/tokens', { token, subject: token });
    const checked = await call('HEAD', '/v3/auth/tokens', { token, subject: token });
    const deleted = await call('DELETE', '/v3/auth/tokens', { token, subject: token });
    const after = await call('GET', '/v3/auth/tokens', { token: await tokenOf('admin'), subject: token });

    expect(shown).toMatchObject({ statusCode: 200, headers: { 'x-subject-token': token } });
    expect(shown.json.token.user.name).toBe('demo');
    expect(checked).toMatchObject({ statusCode: 200, body: '' });
    expect(deleted.statusCode).toBe(204);
    expect(deleted.body ?? '').toBe('');
    expect(after.statusCode).toBe(404);
    expect((await call('GET', '/v3/auth/projects', { token })).statusCode).toBe(401);
  });

  it('is looked at by a service and revoked by its user or an admin alone', async () => {
    const token = await tokenOf('demo');
    const service = await tokenOf('service');

    expect((await call('GET', '/v3/auth/tokens', { token: service, subject: token })).statusCode).toBe(200);
    expect((await call('DELETE', '/v3/auth/tokens', { token: service, subject: token })).statusCode).toBe(403);
    expect((await call('GET', '/v3/auth/projects', { token })).statusCode).toBe(200);
    const admin = await tokenOf('admin');
    expect((await call('DELETE', '/v3/auth/tokens', { token: admin, subject: token })).statusCode).toBe(204);
    expect((await call('GET', '/v3/auth/projects', { token })).statusCode).toBe(401);
  });

  it('is revoked in another process within five seconds', async () => {
    const second = await startIdentity(running.table, clock, await key);
    const token = await tokenOf('demo');
    await second.validate(token);
    await call('DELETE', '/v3/auth/tokens', { token, subject: token });

    clock.advance(5000);

    await expect(second.validate(token)).rejects.toThrow('revoked');
  });

  it('that was voided with its user buys no other one, in whatever process', async () => {
    const second = await startIdentity(running.table, clock, await key);
    const token = await tokenOf('alt', project('alt'));
    const { user } = await second.validate(token);
    await identity.revokeAll(`user:${user.id}`);

    const bought = await call('POST', '/v3/auth/tokens', { body: byToken(token, project('alt')), by: second });

    expect(bought.statusCode).toBe(404);
  });

  it('does not outlive what was revoked while its proof was looked at', async () => {
    const { user } = await identity.validate(await tokenOf('alt'));
    const slow = await startIdentity(running.table, clock, await key, (repository) => ({
      ...repository,
      // Asked after the user's record was read, and before the password is compared.
      failures: async (keys) => {
        await identity.revokeAll(`user:${user.id}`);
        return repository.failures(keys);
      },
    }));

    const made = await call('POST', '/v3/auth/tokens', { body: byPassword('alt', PASSWORDS.alt), by: slow });

    await expect(identity.validate(String(made.headers['x-subject-token']))).rejects.toThrow('revoked');
  });

  it("keeps tokens made from a revoked one, as Keystone's default", async () => {
    const parent = await tokenOf('demo', 'unscoped');
    const child = await call('POST', '/v3/auth/tokens', { body: byToken(parent, project('demo')) });
    await call('DELETE', '/v3/auth/tokens', { token: parent, subject: parent });

    await expect(identity.validate(String(child.headers['x-subject-token']))).resolves.toBeDefined();
  });

  it.each([
    ['demo', undefined, 403],
    ['admin', undefined, 404],
    ['admin', 'nonsense', 404],
    ['demo', 'nonsense', 404],
  ] as const)('answers %s asking about %s with %i', async (name, subject, status) => {
    const answer = await call('GET', '/v3/auth/tokens', { token: await tokenOf(name), ...(subject && { subject }) });

    expect(answer.statusCode).toBe(status);
  });

  it('lets admin and service look at the tokens of others, and nobody else', async () => {
    const subject = await tokenOf('demo');
    const statuses = [];
    for (const name of ['admin', 'service', 'alt'] as const)
      statuses.push((await call('GET', '/v3/auth/tokens', { token: await tokenOf(name), subject })).statusCode);

    expect(statuses).toEqual([200, 200, 403]);
  });

  it('shows an expired token to a service that asks for it, for two days', async () => {
    const subject = await tokenOf('demo');
    clock.advance(3_700_000);
    const token = await tokenOf('service');

    expect((await call('GET', '/v3/auth/tokens', { token, subject })).statusCode).toBe(404);
    expect((await call('GET', '/v3/auth/tokens?allow_expired=1', { token, subject })).statusCode).toBe(200);
    clock.advance(48 * 3_600_000);
    expect(
      (await call('GET', '/v3/auth/tokens?allow_expired=1', { token: await tokenOf('service'), subject })).statusCode,
    ).toBe(404);
  });

  it.each([
    ['absent', undefined],
    ['empty', ''],
    ['nonsense', 'nonsense'],
    ['of three parts', 'a.b.c'],
    ['too long', 'x'.repeat(5000)],
  ])('answers a token that is %s with 401', async (_, token) => {
    const answer = await call('GET', '/v3/auth/projects', token === undefined ? {} : { token });

    expect(answer).toMatchObject({
      statusCode: 401,
      headers: { 'www-authenticate': expect.stringContaining('Keystone') },
    });
  });

  it('refuses a token signed with another key', async () => {
    const other = await startIdentity(running.table, clock);
    const { id } = await other.issue(
      { proofs: { password: { user: { name: 'demo', domain: { id: 'default' } }, password: PASSWORDS.demo } } },
      'test',
    );

    expect((await call('GET', '/v3/auth/projects', { token: id })).statusCode).toBe(401);
  });

  it('lists what the caller can scope to', async () => {
    const unscoped = await tokenOf('admin', 'unscoped');
    const projects = await call('GET', '/v3/auth/projects', { token: unscoped });
    const domains = await call('GET', '/v3/auth/domains', { token: unscoped });
    const system = await call('GET', '/v3/auth/system', { token: unscoped });
    const nothing = await call('GET', '/v3/auth/system', { token: await tokenOf('demo') });

    expect(projects.json.projects.map((one: { name: string }) => one.name)).toEqual(['admin']);
    expect(projects.json.links).toEqual({
      self: 'http://glimpse.test/identity/v3/auth/projects',
      previous: null,
      next: null,
    });
    expect(domains.json.domains).toEqual([]);
    expect(system.json.system).toEqual([{ all: true }]);
    expect(nothing.json.system).toEqual([]);
  });

  it('shows the catalog to a scoped token only', async () => {
    const scoped = await call('GET', '/v3/auth/catalog', { token: await tokenOf('demo') });

    expect(scoped.json.catalog).toHaveLength(2);
    expect((await call('GET', '/v3/auth/catalog', { token: await tokenOf('demo', 'unscoped') })).statusCode).toBe(403);
  });

  it('has the Barbican in its catalog that certificates of signatures lie in, and no other', () => {
    const stores = [{ id: 'central', bucket: 'central' }];
    const barbican_endpoint = 'https://keys.example.org';
    const typesOf = (signed_images: object) =>
      catalogView(placeOf({ baseUrl: 'https://glimpse.example.org' }, parseConfig({ stores, signed_images })));

    const listed = typesOf({ key_manager: 'barbican', barbican_endpoint });

    expect(listed.map(({ type }) => type)).toEqual(['image', 'identity', 'key-manager']);
    expect(listed[2]).toMatchObject({ name: 'barbican' });
    expect(listed[2]?.endpoints.map(({ url }) => url)).toEqual(Array(3).fill(barbican_endpoint));
    expect(typesOf({ key_manager: 'files', barbican_endpoint }).map(({ type }) => type)).toEqual(['image', 'identity']);
  });

  it('has the image services of other regions in its catalog', () => {
    const peers = [{ region: 'RegionTwo', imageUrl: 'https://two.example.org' }];
    const place = { region: 'RegionOne', imageUrl: 'https://one.example.org', identityUrl: 'https://id.example.org' };

    const [image, others] = catalogView({ ...place, peers });

    expect(image?.endpoints.map(({ interface: kind, region, url }) => `${region} ${kind} ${url}`)).toEqual([
      ...['public', 'internal', 'admin'].map((kind) => `RegionOne ${kind} https://one.example.org`),
      ...['public', 'internal', 'admin'].map((kind) => `RegionTwo ${kind} https://two.example.org`),
    ]);
    expect(new Set(image?.endpoints.map(({ id }) => id)).size).toBe(6);
    expect(others?.endpoints.map(({ region }) => region)).toEqual(['RegionOne', 'RegionOne', 'RegionOne']);
  });
});
