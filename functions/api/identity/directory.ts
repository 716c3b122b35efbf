import type { z } from 'zod';
import {
  DomainCreate,
  DomainUpdate,
  PasswordChange,
  ProjectCreate,
  ProjectUpdate,
  RoleCreate,
  RoleUpdate,
  UserCreate,
  UserUpdate,
} from '../../../api/identity/schemas.ts';
import { listView, RECORD_VIEWS } from '../../../api/identity/views.ts';
import { Forbidden } from '../../../core/errors.ts';
import {
  create,
  type DirectoryKind,
  type ListFilter,
  list,
  remove,
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
import type { IdentityHandler, IdentityRequest } from './request.ts';

type Fields<K extends DirectoryKind> = Partial<Omit<NamedRecords[K], 'id'>>;

/** How one kind is read from a body: the whole record, or the fields that a change names. */
interface Reader<K extends DirectoryKind> {
  create(request: IdentityRequest, id: string): Promise<NamedRecords[K]>;
  update(request: IdentityRequest): Promise<Fields<K>>;
}

const given = <T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;

const READERS: { readonly [K in DirectoryKind]: Reader<K> } = {
  domain: {
    create: async (request, id) => domainOf(request.parse(DomainCreate).domain, id),
    update: async (request) => {
      const { name, description, enabled } = request.parse(DomainUpdate).domain;
      return given({ name, enabled, description: description === null ? '' : description });
    },
  },
  project: {
    create: async (request, id) => projectOf(request.parse(ProjectCreate).project, id),
    update: async (request) => {
      const { name, description, enabled, tags } = request.parse(ProjectUpdate).project;
      return given({ name, enabled, tags, description: description === null ? '' : description });
    },
  },
  user: {
    create: async (request, id) => userOf(request.parse(UserCreate).user, id),
    update: async (request) => {
      const { name, enabled, email, description, default_project_id, password } = request.parse(UserUpdate).user;
      const passwordHash = typeof password === 'string' ? await hashPassword(password) : undefined;
      return given({ name, enabled, email, description, defaultProjectId: default_project_id, passwordHash });
    },
  },
  role: {
    create: async (request, id) => roleOf(request.parse(RoleCreate).role, id),
    update: async (request) => given(request.parse(RoleUpdate).role),
  },
};

/** List, create, show, update and delete of one kind. */
function recordHandlers<K extends DirectoryKind>(identity: Identity, kind: K) {
  const view = (record: NamedRecords[K], { v3 }: IdentityRequest): object => RECORD_VIEWS[kind](record, v3);
  const one = (record: NamedRecords[K], request: IdentityRequest) => ({ value: { [kind]: view(record, request) } });
  return {
    list: async (request) => {
      const records = await list(identity, request.caller, kind, filterOf(request.query));
      return {
        value: listView(
          `${kind}s`,
          records.map((record) => view(record, request)),
          request.self,
        ),
      };
    },
    create: async (request) => {
      const record = await READERS[kind].create(request, identity.newId());
      return one(await create(identity, request.caller, kind, record), request);
    },
    show: async (request) => one(await show(identity, request.caller, kind, idOf(request)), request),
    update: async (request) => {
      const change = (await READERS[kind].update(request)) as Partial<NamedRecords[K]>;
      return one(await update(identity, request.caller, kind, idOf(request), change), request);
    },
    delete: async (request) => {
      await remove(identity, request.caller, kind, idOf(request));
      return {};
    },
  } satisfies Record<string, IdentityHandler>;
}

/** Domains, projects, users and roles (contract: identity.md sections 4 and 5). */
export function directoryHandlers(identity: Identity) {
  const domains = recordHandlers(identity, 'domain');
  const projects = recordHandlers(identity, 'project');
  const users = recordHandlers(identity, 'user');
  const roles = recordHandlers(identity, 'role');
  return {
    listDomains: domains.list,
    createDomain: domains.create,
    showDomain: domains.show,
    updateDomain: domains.update,
    deleteDomain: domains.delete,
    listProjects: projects.list,
    createProject: projects.create,
    showProject: projects.show,
    updateProject: projects.update,
    deleteProject: projects.delete,
    listUsers: users.list,
    createUser: users.create,
    showUser: users.show,
    updateUser: users.update,
    deleteUser: users.delete,
    listRoles: roles.list,
    createRole: roles.create,
    showRole: roles.show,
    updateRole: roles.update,
    deleteRole: roles.delete,
    changePassword: async (request) => {
      const { original_password: original, password } = request.parse(PasswordChange).user;
      if (request.caller.user.id !== idOf(request)) throw new Forbidden('A user changes the own password only.');
      await identity.changePassword(idOf(request), original, password, request.source);
      return {};
    },
    listUserProjects: async (request) => {
      const found = await listUserProjects(identity, request.caller, idOf(request));
      const views = found.map((project) => RECORD_VIEWS.project(project, request.v3));
      return { value: listView('projects', views, request.self) };
    },
  } satisfies Record<string, IdentityHandler>;
}

const idOf = ({ params }: IdentityRequest): string => params['id'] ?? '';

function filterOf(query: URLSearchParams): ListFilter {
  const enabled = query.get('enabled');
  return {
    name: query.get('name') ?? undefined,
    domainId: query.get('domain_id') ?? undefined,
    ...(enabled === null ? {} : { enabled: !['false', '0', 'no', 'off'].includes(enabled.toLowerCase()) }),
  };
}

function domainOf({ name, description, enabled }: z.infer<typeof DomainCreate>['domain'], id: string): Domain {
  return { id, name, description: description ?? '', enabled: enabled ?? true };
}

function projectOf(input: z.infer<typeof ProjectCreate>['project'], id: string): Project {
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

async function userOf(input: z.infer<typeof UserCreate>['user'], id: string): Promise<User> {
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

function roleOf({ name, description }: z.infer<typeof RoleCreate>['role'], id: string): Role {
  return { id, name, description: description ?? null };
}
