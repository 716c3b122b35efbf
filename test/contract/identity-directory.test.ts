import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Table } from '../../aws/dynamodb/table.ts';
import { parseConfig } from '../../core/config.ts';
import { baseRoleId } from '../../core/identity/base-ids.ts';
import type { Identity } from '../../core/identity/identity.ts';
import { createIdentityApi } from '../../functions/api/identity/api.ts';
import { held } from '../support/held.ts';
import { type MovableClock, movableClock, PASSWORDS, proxyEvent, startIdentity } from '../support/identity.ts';
import { startTable } from '../support/table.ts';

let running: { table: Table; close(): Promise<void> };
let clock: MovableClock;
let identity: Identity;
let admin: string;
let demo: string;

const config = parseConfig({ stores: [{ id: 'central', bucket: 'central' }] });
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

beforeAll(async () => {
  running = await startTable();
  clock = movableClock();
  identity = await startIdentity(running.table, clock);
  admin = await login('admin', PASSWORDS.admin);
  demo = await login('demo', PASSWORDS.demo);
});
afterAll(async () => {
  await running.close();
});
// Another window for the attempts that are counted.
beforeEach(() => clock.advance(60_000));

async function call(method: string, path: string, token?: string, body?: unknown) {
  const handler = held(createIdentityApi({ config, identity, newId: () => crypto.randomUUID(), log: silent }));
  const headers = token === undefined ? {} : { 'x-auth-token': token };
  const result = await handler(proxyEvent(method, `/identity/v3${path}`, { headers, body }));
  return { ...result, headers: result.headers ?? {}, json: result.body ? JSON.parse(result.body) : undefined };
}

const passwordBody = (name: string, password: string, project?: string) => ({
  auth: {
    identity: { methods: ['password'], password: { user: { name, domain: { id: 'default' }, password } } },
    ...(project === undefined ? {} : { scope: { project: { name: project, domain: { id: 'default' } } } }),
  },
});
async function login(name: string, password: string, project?: string): Promise<string> {
  const answer = await call('POST', '/auth/tokens', undefined, passwordBody(name, password, project));
  expect(answer.statusCode).toBe(201);
  return String(answer.headers['x-subject-token']);
}
async function make(kind: string, record: object): Promise<{ id: string; name: string }> {
  const answer = await call('POST', `/${kind}s`, admin, { [kind]: record });
  expect(answer.statusCode).toBe(201);
  return answer.json[kind];
}

describe('projects', () => {
  it('are made, found by name, changed and deleted by an administrator', async () => {
    const made = await make('project', { name: 'blue', description: 'sky', domain_id: 'default' });

    expect(made).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      name: 'blue',
      domain_id: 'default',
      description: 'sky',
      enabled: true,
      parent_id: 'default',
      is_domain: false,
      tags: [],
      options: {},
      links: { self: `http://glimpse.test/identity/v3/projects/${made.id}` },
    });
    const named = await call('GET', '/projects?name=blue', admin);
    expect(named.json.projects).toEqual([made]);
    expect(named.json.links).toMatchObject({ previous: null, next: null });
    expect((await call('GET', '/projects?name=blue&domain_id=default', admin)).json.projects).toHaveLength(1);
    expect((await call('GET', '/projects?name=blue&domain_id=other', admin)).json.projects).toEqual([]);
    expect((await call('GET', '/projects?name=none', admin)).json.projects).toEqual([]);
    expect((await call('GET', '/projects', admin)).json.projects.length).toBeGreaterThanOrEqual(5);

    const renamed = await call('PATCH', `/projects/${made.id}`, admin, { project: { name: 'green', enabled: false } });
    expect(renamed.json.project).toMatchObject({ id: made.id, name: 'green', enabled: false, description: 'sky' });
    expect((await call('GET', '/projects?name=blue', admin)).json.projects).toEqual([]);
    expect((await call('GET', '/projects?enabled=false', admin)).json.projects).toHaveLength(1);
    await make('project', { name: 'blue' });

    expect((await call('DELETE', `/projects/${made.id}`, admin)).statusCode).toBe(204);
    expect((await call('GET', `/projects/${made.id}`, admin)).statusCode).toBe(404);
    await make('project', { name: 'green' });
  });

  it('have one holder of a name, even when two ask at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => call('POST', '/projects', admin, { project: { name: 'unique' } })),
    );

    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([201, ...Array(7).fill(409)]);
    const other = await make('project', { name: 'nearly' });
    expect((await call('PATCH', `/projects/${other.id}`, admin, { project: { name: 'unique' } })).statusCode).toBe(409);
  });

  it.each([
    ['GET', '/projects?name=demo', 403],
    ['GET', '/projects/none', 403],
    ['POST', '/projects', 403],
    ['GET', '/users', 403],
    ['GET', '/domains?name=Default', 403],
    ['GET', '/domains/default', 200],
    ['GET', '/roles', 403],
    ['GET', '/role_assignments', 403],
  ])('a member gets %s %s: %i', async (method, path, status) => {
    const body = method === 'POST' ? { project: { name: 'mine' } } : undefined;

    expect((await call(method, path, demo, body)).statusCode).toBe(status);
  });

  it('show the own project to a member', async () => {
    const { id } = (await identity.validate(demo)).project ?? { id: '' };

    expect((await call('GET', `/projects/${id}`, demo)).json.project.name).toBe('demo');
  });

  it.each([
    {},
    { project: {} },
    { project: { name: '' } },
    { project: { name: 'x'.repeat(65) } },
    { project: { name: 5 } },
  ])('refuse the body %j with 400', async (body) => {
    expect((await call('POST', '/projects', admin, body)).statusCode).toBe(400);
  });

  it('refuse an unknown domain with 400', async () => {
    expect((await call('POST', '/projects', admin, { project: { name: 'x', domain_id: 'no' } })).statusCode).toBe(400);
  });
});

it('groups, which Horizon asks for, are an empty list for an administrator', async () => {
  const { statusCode, json } = await call('GET', '/groups', admin);

  expect(statusCode).toBe(200);
  expect(json).toMatchObject({ groups: [], links: { self: expect.stringContaining('/v3/groups') } });
});

describe('what Tempest does for its accounts', () => {
  it('finds the domain, makes project and user, assigns roles, gets a token, cleans up', async () => {
    const domains = await call('GET', '/domains?name=Default', admin);
    expect(domains.json.domains).toMatchObject([{ id: 'default', name: 'Default', enabled: true }]);
    const project = await make('project', { name: 'tempest-p', domain_id: 'default' });
    const user = await make('user', {
      name: 'tempest-u',
      password: 'pw',
      email: 'u@example.org',
      domain_id: 'default',
    });
    expect(user).toMatchObject({ email: 'u@example.org', password_expires_at: null });
    expect(user).not.toHaveProperty('password');
    const roles = (await call('GET', '/roles', admin)).json.roles;
    const member = roles.find((role: { name: string }) => role.name === 'member');
    expect((await call('POST', '/roles', admin, { role: { name: 'member' } })).statusCode).toBe(409);
    const custom = await make('role', { name: 'creator' });

    const grant = `/projects/${project.id}/users/${user.id}/roles/`;
    expect((await call('HEAD', grant + member.id, admin)).statusCode).toBe(404);
    for (const role of [member.id, custom.id, member.id])
      expect((await call('PUT', grant + role, admin)).statusCode).toBe(204);
    expect((await call('HEAD', grant + member.id, admin)).statusCode).toBe(204);
    for (const path of [
      `/domains/default/users/${user.id}/roles/${member.id}`,
      `/system/users/${user.id}/roles/${member.id}`,
    ])
      expect((await call('PUT', path, admin)).statusCode).toBe(204);
    expect((await call('GET', `/projects/${project.id}/users/${user.id}/roles`, admin)).json.roles).toMatchObject([
      { name: 'creator' },
      { name: 'member' },
    ]);
    const token = await login('tempest-u', 'pw', 'tempest-p');
    const valid = await identity.validate(token);
    expect(valid.roles.map(({ name }) => name).sort()).toEqual(['creator', 'member', 'reader']);
    expect((await call('GET', `/users/${user.id}/projects`, token)).json.projects).toMatchObject([
      { name: 'tempest-p' },
    ]);
    expect((await call('GET', '/auth/domains', token)).json.domains).toMatchObject([{ id: 'default' }]);
    const assignments = await call('GET', `/role_assignments?user.id=${user.id}&scope.project.id=${project.id}`, admin);
    expect(assignments.json.role_assignments).toHaveLength(2);
    expect(assignments.json.role_assignments[0]).toMatchObject({
      user: { id: user.id },
      scope: { project: { id: project.id } },
    });

    const named = await call('GET', `/role_assignments?user.id=${user.id}&include_names`, admin);
    expect(named.json.role_assignments).toContainEqual({
      user: { id: user.id, name: 'tempest-u', domain: { id: 'default', name: 'Default' } },
      role: { id: custom.id, name: 'creator' },
      scope: { project: { id: project.id, name: 'tempest-p', domain: { id: 'default', name: 'Default' } } },
      links: { assignment: expect.stringContaining(`/v3${grant}${custom.id}`) },
    });

    expect((await call('DELETE', `/users/${user.id}`, admin)).statusCode).toBe(204);
    expect((await call('DELETE', `/projects/${project.id}`, admin)).statusCode).toBe(204);
    expect((await call('GET', '/auth/projects', token)).statusCode).toBe(401);
    expect(
      (await call('GET', `/role_assignments?scope.project.id=${project.id}`, admin)).json.role_assignments,
    ).toEqual([]);
  });

  it.each(['users', 'projects', 'roles'])(
    'answers an assignment whose part of %s is unknown with 404',
    async (part) => {
      const ids = { users: (await identity.validate(demo)).user.id, projects: 'none', roles: baseRoleId('member') };
      const project = (await identity.validate(demo)).project?.id ?? '';
      const path = { ...ids, projects: project, [part]: 'none' };

      const answer = await call('PUT', `/projects/${path.projects}/users/${path.users}/roles/${path.roles}`, admin);
      expect(answer.statusCode).toBe(404);
    },
  );

  it('keeps the roles that the service is built on', async () => {
    const id = baseRoleId('reader');

    expect((await call('DELETE', `/roles/${id}`, admin)).statusCode).toBe(403);
    expect((await call('PATCH', `/roles/${id}`, admin, { role: { name: 'x' } })).statusCode).toBe(403);
    expect((await call('DELETE', '/domains/default', admin)).statusCode).toBe(403);
  });
});

describe('users', () => {
  it('lose their tokens with a new password, when disabled and when a role is taken', async () => {
    const user = await make('user', { name: 'carol', password: 'one' });
    const project = await make('project', { name: 'carol' });
    const grant = `/projects/${project.id}/users/${user.id}/roles/${baseRoleId('member')}`;
    await call('PUT', grant, admin);
    const first = await login('carol', 'one', 'carol');

    const change = { user: { original_password: 'one', password: 'two' } };
    expect((await call('POST', `/users/${user.id}/password`, demo, change)).statusCode).toBe(403);
    expect((await call('POST', `/users/${user.id}/password`, first, change)).statusCode).toBe(204);
    expect((await call('GET', '/auth/projects', first)).statusCode).toBe(401);

    const second = await login('carol', 'two', 'carol');
    await call('PATCH', `/users/${user.id}`, admin, { user: { enabled: false } });
    expect((await call('GET', '/auth/projects', second)).statusCode).toBe(401);
    expect((await call('POST', '/auth/tokens', undefined, passwordBody('carol', 'two'))).statusCode).toBe(401);

    await call('PATCH', `/users/${user.id}`, admin, { user: { enabled: true, password: 'three' } });
    const third = await login('carol', 'three', 'carol');
    expect((await call('DELETE', grant, admin)).statusCode).toBe(204);
    expect((await call('GET', '/auth/projects', third)).statusCode).toBe(401);
    expect((await call('DELETE', grant, admin)).statusCode).toBe(404);
  });

  it('see themselves and nobody else', async () => {
    const { user } = await identity.validate(demo);
    const other = await identity.validate(admin);

    expect((await call('GET', `/users/${user.id}`, demo)).json.user).toMatchObject({
      name: 'demo',
      domain_id: 'default',
    });
    expect((await call('GET', `/users/${other.user.id}`, demo)).statusCode).toBe(403);
    expect((await call('GET', `/users/${other.user.id}/projects`, demo)).statusCode).toBe(403);
    expect((await call('GET', '/users?name=demo', admin)).json.users).toHaveLength(1);
  });
});

describe('application credentials', () => {
  const credentialBody = (proof: object, scope?: object) => ({
    auth: { identity: { methods: ['application_credential'], application_credential: proof }, ...(scope && { scope }) },
  });
  const path = async () => `/users/${(await identity.validate(demo)).user.id}/application_credentials`;
  const create = async (fields: object, token = demo) =>
    call('POST', await path(), token, { application_credential: fields });

  it('give tokens for their project with their roles, until they are deleted', async () => {
    const made = (await create({ name: 'ci', roles: [{ name: 'reader' }] })).json.application_credential;
    expect(made).toMatchObject({ name: 'ci', unrestricted: false, expires_at: null, roles: [{ name: 'reader' }] });
    expect(made.secret.length).toBeGreaterThan(40);

    const byId = await call('POST', '/auth/tokens', undefined, credentialBody({ id: made.id, secret: made.secret }));
    const byName = await call(
      'POST',
      '/auth/tokens',
      undefined,
      credentialBody({ name: 'ci', user: { name: 'demo', domain: { name: 'Default' } }, secret: made.secret }),
    );

    expect(byId.statusCode).toBe(201);
    expect(byName.statusCode).toBe(201);
    expect(byId.json.token).toMatchObject({
      methods: ['application_credential'],
      project: { name: 'demo' },
      roles: [{ name: 'reader' }],
      application_credential: { id: made.id, name: 'ci', restricted: true },
    });
    const token = String(byId.headers['x-subject-token']);
    expect((await create({ name: 'more' }, token)).statusCode).toBe(403);
    const shown = (await call('GET', `${await path()}/${made.id}`, demo)).json.application_credential;
    expect(shown).not.toHaveProperty('secret');
    expect((await call('GET', await path(), demo)).json.application_credentials).toHaveLength(1);
    expect((await call('DELETE', `${await path()}/${made.id}`, demo)).statusCode).toBe(204);
    expect((await call('GET', '/auth/projects', token)).statusCode).toBe(401);
  });

  it('take no scope and no wrong secret', async () => {
    const made = (await create({ name: 'strict', secret: 'chosen' })).json.application_credential;
    const proof = { id: made.id, secret: 'chosen' };
    const attempts = [
      credentialBody(proof, { project: { id: made.project_id } }),
      credentialBody({ ...proof, secret: 'x' }),
      credentialBody({ id: 'none', secret: 'x' }),
    ];

    for (const body of attempts) expect((await call('POST', '/auth/tokens', undefined, body)).statusCode).toBe(401);
  });

  it('end when they expire, and so do their tokens', async () => {
    const expires = new Date(clock.now() + 600_000).toISOString().replace('Z', '');
    const made = (await create({ name: 'short', secret: 's', expires_at: expires })).json.application_credential;
    const answer = await call('POST', '/auth/tokens', undefined, credentialBody({ id: made.id, secret: 's' }));
    expect(answer.json.token.expires_at).toBe(`${expires}000Z`);

    clock.advance(600_000);

    expect(
      (await call('POST', '/auth/tokens', undefined, credentialBody({ id: made.id, secret: 's' }))).statusCode,
    ).toBe(401);
  });

  it.each([
    [{ name: 'a', roles: [{ name: 'admin' }] }, 400],
    [{ name: 'a', expires_at: '2001-01-01T00:00:00' }, 400],
    [{ name: 'a', expires_at: 'soon' }, 400],
    [{ name: 'a', expires_at: '2099-02-30T00:00:00' }, 400],
    [{ name: 'a', expires_at: '2099-04-31T00:00:00Z' }, 400],
    [{ name: 'a', expires_at: '2099-01-01T24:00:01Z' }, 400],
    [{}, 400],
  ])('refuse %j', async (fields, status) => {
    expect((await create(fields)).statusCode).toBe(status);
  });

  it('belong to their user', async () => {
    expect((await create({ name: 'x' }, admin)).statusCode).toBe(403);
    expect((await call('GET', await path(), await login('alt', PASSWORDS.alt))).statusCode).toBe(403);
  });
});

describe('bootstrap', () => {
  it('changes nothing the second time and takes a new password', async () => {
    const before = await identity.repository.allGrants();
    const again = await startIdentity(running.table, clock);

    expect(await again.repository.allGrants()).toEqual(before);
    const names = (await again.repository.list('user')).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['admin', 'alt', 'demo', 'reader', 'service']));
    expect(new Set(names).size).toBe(names.length);
  });
});
