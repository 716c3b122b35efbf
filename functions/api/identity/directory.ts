import type { z } from 'zod';
import type { Handlers } from '../../../api/handlers.ts';
import type {
  DomainCreate,
  DomainUpdate,
  ProjectCreate,
  ProjectUpdate,
  RoleCreate,
  RoleUpdate,
  UserCreate,
  UserUpdate,
} from '../../../api/identity/schemas.ts';
import { domainView, listLinks, projectView, roleView, userView } from '../../../api/identity/views.ts';
import { Forbidden } from '../../../core/errors.ts';
import {
  create,
  type DirectoryKind,
  type ListFilter,
  list,
  remove,
  requireAdmin,
  show,
  update,
} from '../../../core/identity/directory.ts';
import { listUserProjects } from '../../../core/identity/grants.ts';
import type { Identity } from '../../../core/identity/identity.ts';
import { hashPassword } from '../../../core/identity/password.ts';
import {
  DEFAULT_DOMAIN_ID,
  type Domain,
  type NamedRecords,
  type Project,
  type Role,
  type User,
} from '../../../core/identity/records.ts';
import type { ValidToken } from '../../../core/identity/repository.ts';
import { selfOf, v3Of } from './places.ts';

type DirectoryOperation =
  | `${'create' | 'show' | 'update' | 'delete'}${'Domain' | 'Project' | 'User' | 'Role'}`
  | `list${'Domains' | 'Projects' | 'Users' | 'Roles'}`
  | 'changePassword'
  | 'listGroups'
  | 'listUserProjects';

interface Asked {
  readonly caller: ValidToken;
  readonly baseUrl: string;
  readonly path: string;
}
type Fields<K extends DirectoryKind> = Partial<NamedRecords[K]>;

/** How one kind is read and shown: the whole record, or the fields that a change names. */
interface Reading<K extends DirectoryKind, C, U, V> {
  readonly view: (record: NamedRecords[K], base: string) => V;
  readonly made: (body: C, id: string) => NamedRecords[K] | Promise<NamedRecords[K]>;
  readonly changed: (body: U) => Fields<K> | Promise<Fields<K>>;
}

/** Create, show, update, delete and list of one kind, without the name that its answers have on the wire. */
function records<K extends DirectoryKind, C, U, V>(identity: Identity, kind: K, reading: Reading<K, C, U, V>) {
  const { view, made, changed } = reading;
  return {
    list: async (request: Asked & { query(): ListFilter }): Promise<V[]> => {
      const found = await list(identity, request.caller, kind, request.query());
      return found.map((record) => view(record, v3Of(request)));
    },
    create: async (request: Asked & { body(): C }): Promise<V> => {
      const record = await made(request.body(), identity.newId());
      return view(await create(identity, request.caller, kind, record), v3Of(request));
    },
    show: async (request: Asked & OfRecord): Promise<V> =>
      view(await show(identity, request.caller, kind, request.params.id), v3Of(request)),
    update: async (request: Asked & OfRecord & { body(): U }): Promise<V> => {
      const change = await changed(request.body());
      return view(await update(identity, request.caller, kind, request.params.id, change), v3Of(request));
    },
    remove: async (request: Asked & OfRecord): Promise<void> =>
      remove(identity, request.caller, kind, request.params.id),
  };
}

interface OfRecord {
  readonly params: { readonly id: string };
}

/** Domains, projects, users and roles (contract: identity.md sections 4 and 5). */
export function directoryOperations(identity: Identity): Handlers<DirectoryOperation> {
  const domains = records(identity, 'domain', { view: domainView, made: domainOf, changed: domainChange });
  const projects = records(identity, 'project', { view: projectView, made: projectOf, changed: projectChange });
  const users = records(identity, 'user', { view: userView, made: userOf, changed: userChange });
  const roles = records(identity, 'role', {
    view: roleView,
    made: roleOf,
    changed: ({ role }: z.infer<typeof RoleUpdate>) => given(role),
  });
  const links = (request: Asked) => listLinks(selfOf(request));
  return {
    listDomains: async (request) => ({ domains: await domains.list(request), links: links(request) }),
    createDomain: async (request) => ({ domain: await domains.create(request) }),
    showDomain: async (request) => ({ domain: await domains.show(request) }),
    updateDomain: async (request) => ({ domain: await domains.update(request) }),
    deleteDomain: domains.remove,
    listProjects: async (request) => ({ projects: await projects.list(request), links: links(request) }),
    createProject: async (request) => ({ project: await projects.create(request) }),
    showProject: async (request) => ({ project: await projects.show(request) }),
    updateProject: async (request) => ({ project: await projects.update(request) }),
    deleteProject: projects.remove,
    listUsers: async (request) => ({ users: await users.list(request), links: links(request) }),
    createUser: async (request) => ({ user: await users.create(request) }),
    showUser: async (request) => ({ user: await users.show(request) }),
    updateUser: async (request) => ({ user: await users.update(request) }),
    deleteUser: users.remove,
    listRoles: async (request) => ({ roles: await roles.list(request), links: links(request) }),
    createRole: async (request) => ({ role: await roles.create(request) }),
    showRole: async (request) => ({ role: await roles.show(request) }),
    updateRole: async (request) => ({ role: await roles.update(request) }),
    deleteRole: roles.remove,
    changePassword: async ({ params, body, caller, source }) => {
      const { original_password: original, password } = body().user;
      if (caller.user.id !== params.id) throw new Forbidden('A user changes the own password only.');
      await identity.changePassword(params.id, original, password, source);
    },
    listGroups: async (request) => {
      requireAdmin(request.caller, 'identity:list_groups');
      return { groups: [], links: links(request) };
    },
    listUserProjects: async (request) => {
      const found = await listUserProjects(identity, request.caller, request.params.id);
      return { projects: found.map((project) => projectView(project, v3Of(request))), links: links(request) };
    },
  };
}

/** What a change names: a field that is left out stays as it is. */
const given = <T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  // What is undefined was filtered out, which is all that the types differ in.
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;

function domainOf({ domain: { name, description, enabled } }: z.infer<typeof DomainCreate>, id: string): Domain {
  return { id, name, description: description ?? '', enabled: enabled ?? true };
}

function projectOf({ project: input }: z.infer<typeof ProjectCreate>, id: string): Project {
  const { name, domain_id, description, enabled, tags } = input;
  return {
    id,
    name,
    domainId: domain_id ?? DEFAULT_DOMAIN_ID,
    description: description ?? '',
    enabled: enabled ?? true,
    tags: tags ?? [],
  };
}

async function userOf({ user: input }: z.infer<typeof UserCreate>, id: string): Promise<User> {
  const { name, domain_id, password, enabled, email, description, default_project_id } = input;
  return {
    id,
    name,
    domainId: domain_id ?? DEFAULT_DOMAIN_ID,
    enabled: enabled ?? true,
    email: email ?? null,
    description: description ?? null,
    defaultProjectId: default_project_id ?? null,
    passwordHash: typeof password === 'string' ? await hashPassword(password) : null,
  };
}

function roleOf({ role: { name, description } }: z.infer<typeof RoleCreate>, id: string): Role {
  return { id, name, description: description ?? null };
}

function domainChange({ domain: { name, description, enabled } }: z.infer<typeof DomainUpdate>): Fields<'domain'> {
  return given({ name, enabled, description: description === null ? '' : description });
}

function projectChange({ project }: z.infer<typeof ProjectUpdate>): Fields<'project'> {
  const { name, description, enabled, tags } = project;
  return given({ name, enabled, tags, description: description === null ? '' : description });
}

async function userChange({ user }: z.infer<typeof UserUpdate>): Promise<Fields<'user'>> {
  const { name, enabled, email, description, default_project_id: defaultProjectId, password } = user;
  const passwordHash = typeof password === 'string' ? await hashPassword(password) : undefined;
  return given({ name, enabled, email, description, defaultProjectId, passwordHash });
}
