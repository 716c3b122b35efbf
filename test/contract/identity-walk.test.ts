/**
 * Every operation of the identity service, asked by an administrator, by a member about others, and by nobody. The compiler asks
 * for a row per route; what the operations do is in identity-tokens and identity-directory.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type GroupOperations, ROUTES } from '../../api/routes.ts';
import { parseConfig } from '../../core/config.ts';
import type { Identity } from '../../core/identity/identity.ts';
import { createIdentityApi } from '../../functions/api/identity/api.ts';
import { held } from '../support/held.ts';
import { movableClock, PASSWORDS, proxyEvent, startIdentity } from '../support/identity.ts';
import { startTable, type TestTable } from '../support/table.ts';

type Asker = 'admin' | 'member' | 'nobody';
type Kind = 'project' | 'user' | 'role' | 'domain';
interface Row {
  /** Statuses for the administrator and the member; nobody gets 401 unless `nobody` says otherwise. */
  readonly answers: readonly [admin: number, member: number];
  readonly nobody?: number;
  readonly body?: unknown;
  /** What `{id}` is; the other parameters are named for what they are. */
  readonly id?: Kind;
  /** The role is assigned before. */
  readonly assigned?: true;
  /** The token that is looked at is one of the member's own. */
  readonly subject?: true;
}

const everybody = (status: number): Row => ({ answers: [status, status] });
const adminOnly = (status: number, more: Partial<Row> = {}): Row => ({ answers: [status, 403], ...more });
const record = (kind: Kind, attributes: object = {}) => ({ [kind]: attributes });
const login = {
  auth: {
    identity: {
      methods: ['password'],
      password: { user: { name: 'demo', domain: { id: 'default' }, password: PASSWORDS.demo } },
    },
  },
};

const TABLE: Readonly<Record<GroupOperations<'identity'>, Row>> = {
  listIdentityVersions: { ...everybody(300), nobody: 300 },
  showIdentityVersion: { ...everybody(200), nobody: 200 },
  createToken: { ...everybody(201), nobody: 201, body: login },
  showToken: { ...everybody(200), subject: true },
  checkToken: { ...everybody(200), subject: true },
  deleteToken: { ...everybody(204), subject: true },
  showCatalog: everybody(200),
  listAuthProjects: everybody(200),
  listAuthDomains: everybody(200),
  listAuthSystem: everybody(200),
  listDomains: adminOnly(200),
  createDomain: adminOnly(201, { body: record('domain', { name: 'walk-domain' }) }),
  showDomain: adminOnly(200, { id: 'domain' }),
  updateDomain: adminOnly(200, { id: 'domain', body: record('domain', { description: 'new' }) }),
  deleteDomain: adminOnly(204, { id: 'domain' }),
  listProjects: adminOnly(200),
  createProject: adminOnly(201, { body: record('project', { name: 'walk-project' }) }),
  showProject: adminOnly(200, { id: 'project' }),
  updateProject: adminOnly(200, { id: 'project', body: record('project', { description: 'new' }) }),
  deleteProject: adminOnly(204, { id: 'project' }),
  listUsers: adminOnly(200),
  createUser: adminOnly(201, { body: record('user', { name: 'walk-user' }) }),
  showUser: adminOnly(200, { id: 'user' }),
  updateUser: adminOnly(200, { id: 'user', body: record('user', { email: 'a@example.org' }) }),
  deleteUser: adminOnly(204, { id: 'user' }),
  changePassword: {
    ...everybody(403),
    id: 'user',
    body: record('user', { password: 'new', original_password: 'old' }),
  },
  listGroups: adminOnly(200),
  listUserProjects: adminOnly(200, { id: 'user' }),
  listRoles: adminOnly(200),
  createRole: adminOnly(201, { body: record('role', { name: 'walk-role' }) }),
  showRole: adminOnly(200, { id: 'role' }),
  updateRole: adminOnly(200, { id: 'role', body: record('role', { description: 'new' }) }),
  deleteRole: adminOnly(204, { id: 'role' }),
  listProjectRoles: adminOnly(200),
  assignProjectRole: adminOnly(204),
  checkProjectRole: adminOnly(204, { assigned: true }),
  unassignProjectRole: adminOnly(204, { assigned: true }),
  listDomainRoles: adminOnly(200),
  assignDomainRole: adminOnly(204),
  checkDomainRole: adminOnly(204, { assigned: true }),
  unassignDomainRole: adminOnly(204, { assigned: true }),
  listSystemRoles: adminOnly(200),
  assignSystemRole: adminOnly(204),
  checkSystemRole: adminOnly(204, { assigned: true }),
  unassignSystemRole: adminOnly(204, { assigned: true }),
  listRoleAssignments: adminOnly(200),
  listCredentials: adminOnly(200),
  createCredential: { ...everybody(403), body: { application_credential: { name: 'walk' } } },
  showCredential: adminOnly(404),
  deleteCredential: adminOnly(404),
};

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

let running: TestTable;
let identity: Identity;
const tokens: Partial<Record<Asker, string>> = {};
beforeAll(async () => {
  running = await startTable();
  identity = await startIdentity(running.table, movableClock());
  tokens.admin = await tokenOf('admin');
  tokens.member = await tokenOf('demo');
});
afterAll(() => running?.close());

async function call(
  method: string,
  path: string,
  as: Asker,
  { body, subject }: { body?: unknown; subject?: string } = {},
) {
  const config = parseConfig({ stores: [{ id: 'central', bucket: 'central' }] });
  const handler = held(createIdentityApi({ config, identity, newId: () => crypto.randomUUID(), log: silent }));
  const token = tokens[as];
  const headers = {
    ...(token !== undefined && { 'x-auth-token': token }),
    ...(subject !== undefined && { 'x-subject-token': subject }),
  };
  const answer = await handler(proxyEvent(method, path, { headers, body }));
  return { status: answer.statusCode, body: answer.body ?? '', headers: answer.headers ?? {} };
}

async function tokenOf(name: 'admin' | 'demo'): Promise<string> {
  const user = { name, domain: { id: 'default' }, password: PASSWORDS[name] };
  const body = { auth: { identity: { methods: ['password'], password: { user } } } };
  return String((await call('POST', '/identity/v3/auth/tokens', 'nobody', { body })).headers['x-subject-token']);
}

let made = 0;
async function make(kind: Kind): Promise<string> {
  const more = kind === 'domain' ? { enabled: false } : {};
  const body = record(kind, { name: `walk-${made++}`, ...more });
  const answer = await call('POST', `/identity/v3/${kind}s`, 'admin', { body });
  return (JSON.parse(answer.body) as Record<Kind, { id: string }>)[kind].id;
}

async function ask(operation: GroupOperations<'identity'>, as: Asker): Promise<number | undefined> {
  const { method, path } = ROUTES[operation];
  const { body, id = 'role', assigned, subject } = TABLE[operation];
  const scope = path.includes('/domains/{scope}') ? 'domain' : 'project';
  const ids = { id: await make(id), user: await make('user'), role: await make('role'), scope: await make(scope) };
  const to = path.replaceAll(/\{(\w+)\}/g, (_, name: keyof typeof ids) => ids[name]);
  if (assigned) await call('PUT', to, 'admin');
  const looked = subject ? { subject: await tokenOf('demo') } : {};
  return (await call(method, to, as, { ...(body !== undefined && { body }), ...looked })).status;
}

it.each(Object.entries(TABLE) as [GroupOperations<'identity'>, Row][])('%s', async (operation, row) => {
  const got = { admin: await ask(operation, 'admin'), member: await ask(operation, 'member') };

  expect({ ...got, nobody: await ask(operation, 'nobody') }).toEqual({
    admin: row.answers[0],
    member: row.answers[1],
    nobody: row.nobody ?? 401,
  });
});
