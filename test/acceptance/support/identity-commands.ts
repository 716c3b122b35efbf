/** Commands of python-openstackclient that speak to the identity service: what people and scripts run beside images. */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { WireImage } from '../../support/image-client.ts';
import { type At, about, ok, type Row, type World } from './client-rows.ts';

type Kind = 'project' | 'user' | 'role' | 'domain';
const V3 = '/identity/v3';
const fresh = (): string => `made-${randomUUID()}`;

/** A record that the command is about. */
const made =
  (kind: Kind, attributes: Readonly<Record<string, unknown>> = {}) =>
  async ({ glimpse }: World): Promise<WireImage> => {
    const body = { [kind]: { name: fresh(), ...attributes } };
    const answer = await ok(glimpse.api('admin', 'POST', `${V3}/${kind}s`, { body }));
    return ((await answer.json()) as Record<Kind, WireImage>)[kind];
  };

const now =
  (kind: Kind, expected: object) =>
  async ({ glimpse, image: { id } }: At): Promise<void> => {
    const answer = await ok(glimpse.api('admin', 'GET', `${V3}/${kind}s/${id}`));
    expect(((await answer.json()) as Record<Kind, object>)[kind]).toMatchObject(expected);
  };

const isGone =
  (kind: Kind) =>
  async ({ glimpse, image: { id } }: At): Promise<void> =>
    expect((await glimpse.api('admin', 'GET', `${V3}/${kind}s/${id}`)).status).toBe(404);

/** A user with a role in project demo. */
async function employed(world: World): Promise<WireImage> {
  const user = await made('user')(world);
  const roles = await ok(world.glimpse.api('admin', 'GET', `${V3}/roles?name=reader`));
  const [reader] = ((await roles.json()) as { roles: { id: string }[] }).roles;
  const path = `${V3}/projects/${world.project.demo}/users/${user.id}/roles/${reader?.id}`;
  await ok(world.glimpse.api('admin', 'PUT', path));
  return user;
}

const rolesOf = async ({ glimpse, image: { id }, project }: At): Promise<string[]> => {
  const answer = await ok(glimpse.api('admin', 'GET', `${V3}/projects/${project.demo}/users/${id}/roles`));
  return ((await answer.json()) as { roles: { name: string }[] }).roles.map(({ name }) => name);
};

const admin = { as: 'admin' } as const;

const SESSION: readonly Row[] = [
  { command: 'token issue', says: 'a token', prints: ['project_id', 'expires'] },
  {
    command: 'token revoke',
    says: 'one that is used no longer',
    given: async ({ glimpse }) => {
      const auth = { identity: { methods: ['token'], token: { id: await glimpse.token('demo') } } };
      const answer = await ok(glimpse.api('demo', 'POST', `${V3}/auth/tokens`, { body: { auth } }));
      return { id: answer.headers.get('x-subject-token') ?? '', status: 'issued' };
    },
    args: about,
    ...admin,
    after: async ({ glimpse, image: { id } }) => {
      const headers = { 'x-subject-token': id };
      expect((await glimpse.api('admin', 'GET', `${V3}/auth/tokens`, { headers })).status).toBe(404);
    },
  },
  { command: 'catalog list', says: 'image and identity', prints: ['glance image RegionOne', 'keystone identity'] },
  { command: 'catalog show', says: 'the image service', args: () => ['image'], prints: ['type image'] },
];

const PROJECTS: readonly Row[] = [
  {
    ...admin,
    command: 'project create',
    says: 'with a description, in a domain',
    args: () => ['--domain', 'Default', '--description', 'of a test', fresh()],
    prints: ['description of a test', 'domain_id default', 'enabled True', 'name made-'],
  },
  {
    ...admin,
    command: 'project create',
    says: 'not twice with one name',
    args: () => ['demo'],
    fails: /409/,
  },
  { command: 'project create', says: 'not by a member', args: () => [fresh()], fails: /403/ },
  {
    ...admin,
    command: 'project set',
    says: 'description and enabled',
    given: made('project'),
    args: (at) => ['--description', 'changed', '--disable', at.image.id],
    after: now('project', { description: 'changed', enabled: false }),
  },
  {
    ...admin,
    command: 'project show',
    says: 'by name',
    args: () => ['alt'],
    after: async (at, output) => expect(output).toContain(at.project.alt),
  },
  { ...admin, command: 'project list', says: 'all', prints: ['admin', 'demo', 'alt'] },
  {
    ...admin,
    command: 'project delete',
    says: 'one',
    given: made('project'),
    args: about,
    after: isGone('project'),
  },
];

const USERS: readonly Row[] = [
  {
    ...admin,
    command: 'user create',
    says: 'with a project, a password and an address',
    args: () => ['--project', 'demo', '--password', 'of a test', '--email', 'a@example.org', fresh()],
    prints: ['email a@example.org', 'enabled True', 'name made-'],
  },
  {
    ...admin,
    command: 'user set',
    says: 'name, address and enabled',
    given: made('user'),
    args: (at) => ['--name', `${String(at.image['name'])}-new`, '--email', 'b@example.org', '--disable', at.image.id],
    after: now('user', { name: expect.stringMatching(/-new$/) as string, email: 'b@example.org', enabled: false }),
  },
  { ...admin, command: 'user show', says: 'by name', args: () => ['demo'], prints: ['name demo'] },
  { ...admin, command: 'user list', says: 'all', prints: ['admin', 'demo', 'reader'] },
  { ...admin, command: 'group list', says: 'none, for there are none', prints: [/^\s*$/] },
  { ...admin, command: 'user delete', says: 'one', given: made('user'), args: about, after: isGone('user') },
];

const ROLES: readonly Row[] = [
  { ...admin, command: 'role create', says: 'by name', args: () => [fresh()], prints: ['name made-'] },
  { ...admin, command: 'role list', says: 'the roles', prints: ['admin', 'member', 'reader'] },
  { ...admin, command: 'role show', says: 'by name', args: () => ['member'], prints: ['name member'] },
  { ...admin, command: 'role delete', says: 'one', given: made('role'), args: about, after: isGone('role') },
  {
    ...admin,
    command: 'role add',
    says: 'to a user in a project',
    given: made('user'),
    args: (at) => ['--user', at.image.id, '--project', 'demo', 'member'],
    after: async (at) => expect(await rolesOf(at)).toEqual(['member']),
  },
  {
    ...admin,
    command: 'role remove',
    says: 'from a user in a project',
    given: employed,
    args: (at) => ['--user', at.image.id, '--project', 'demo', 'reader'],
    after: async (at) => expect(await rolesOf(at)).toEqual([]),
  },
  {
    ...admin,
    command: 'role assignment list',
    says: 'with names',
    args: () => ['--user', 'demo', '--project', 'demo', '--names'],
    prints: ['member demo@Default demo@Default'],
  },
];

const DOMAINS: readonly Row[] = [
  { ...admin, command: 'domain list', says: 'all', prints: ['default Default True'] },
  { ...admin, command: 'domain show', says: 'by name', args: () => ['Default'], prints: ['id default'] },
  {
    ...admin,
    command: 'domain create',
    says: 'by name',
    args: () => [fresh()],
    prints: ['enabled True', 'name made-'],
  },
  {
    ...admin,
    command: 'domain set',
    says: 'disabled',
    given: made('domain'),
    args: (at) => ['--disable', at.image.id],
    after: now('domain', { enabled: false }),
  },
  {
    ...admin,
    command: 'domain delete',
    says: 'one that is disabled',
    given: made('domain', { enabled: false }),
    args: about,
    after: isGone('domain'),
  },
];

/** A credential of the user demo. */
async function credential({ glimpse }: World): Promise<WireImage> {
  const token = await glimpse.api('demo', 'GET', `${V3}/auth/tokens`, {
    headers: { 'x-subject-token': await glimpse.token('demo') },
  });
  const { user } = ((await token.json()) as { token: { user: { id: string } } }).token;
  const body = { application_credential: { name: fresh() } };
  const path = `${V3}/users/${user.id}/application_credentials`;
  const answer = await ok(glimpse.api('demo', 'POST', path, { body }));
  const made = ((await answer.json()) as { application_credential: WireImage }).application_credential;
  return { ...made, path: `${path}/${made.id}` };
}

const CREDENTIALS: readonly Row[] = [
  {
    command: 'application credential create',
    says: 'with fewer roles',
    args: () => ['--role', 'reader', '--description', 'of a test', fresh()],
    // Later releases begin with capitals.
    prints: [/description of a test/i, /roles reader/i, /secret/i, /unrestricted False/i],
  },
  {
    command: 'application credential list',
    says: 'one’s own',
    given: credential,
    after: async (at, output) => expect(output).toContain(at.image.id),
  },
  {
    command: 'application credential show',
    says: 'one',
    given: credential,
    args: about,
    after: async (at, output) => expect(output).toContain(at.image.id),
  },
  {
    command: 'application credential delete',
    says: 'one',
    given: credential,
    args: about,
    after: async ({ glimpse, image }) =>
      expect((await glimpse.api('demo', 'GET', String(image['path']))).status).toBe(404),
  },
];

export const IDENTITY_COMMANDS: readonly Row[] = [
  ...SESSION,
  ...PROJECTS,
  ...USERS,
  ...ROLES,
  ...DOMAINS,
  ...CREDENTIALS,
];
