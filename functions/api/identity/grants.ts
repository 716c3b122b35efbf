import { assignmentView, listView, roleView } from '../../../api/identity/views.ts';
import {
  assignRole,
  checkRole,
  type GrantFilter,
  listGrants,
  listRolesOn,
  nameGrants,
  unassignRole,
} from '../../../core/identity/grants.ts';
import type { Identity } from '../../../core/identity/identity.ts';
import type { Grant, GrantScope } from '../../../core/identity/records.ts';
import type { IdentityHandler, IdentityRequest } from './request.ts';

/** Roles of users on one kind of scope. */
function scopeHandlers(identity: Identity, kind: GrantScope['kind']) {
  const scopeOf = ({ params }: IdentityRequest): GrantScope =>
    kind === 'system' ? { kind, id: 'all' } : { kind, id: params['scope'] ?? '' };
  const grantOf = (request: IdentityRequest): Grant => ({
    userId: request.params['user'] ?? '',
    roleId: request.params['role'] ?? '',
    scope: scopeOf(request),
  });
  return {
    list: async (request) => {
      const roles = await listRolesOn(identity, request.caller, request.params['user'] ?? '', scopeOf(request));
      return {
        value: listView(
          'roles',
          roles.map((role) => roleView(role, request.v3)),
          request.self,
        ),
      };
    },
    assign: async (request) => assignRole(identity, request.caller, grantOf(request)).then(() => ({})),
    check: async (request) => checkRole(identity, request.caller, grantOf(request)).then(() => ({})),
    unassign: async (request) => unassignRole(identity, request.caller, grantOf(request)).then(() => ({})),
  } satisfies Record<string, IdentityHandler>;
}

/** Role assignments (contract: identity.md section 5). */
export function grantHandlers(identity: Identity) {
  const project = scopeHandlers(identity, 'project');
  const domain = scopeHandlers(identity, 'domain');
  const system = scopeHandlers(identity, 'system');
  return {
    listProjectRoles: project.list,
    assignProjectRole: project.assign,
    checkProjectRole: project.check,
    unassignProjectRole: project.unassign,
    listDomainRoles: domain.list,
    assignDomainRole: domain.assign,
    checkDomainRole: domain.check,
    unassignDomainRole: domain.unassign,
    listSystemRoles: system.list,
    assignSystemRole: system.assign,
    checkSystemRole: system.check,
    unassignSystemRole: system.unassign,
    listRoleAssignments: async ({ caller, query, v3, self }) => {
      const found = await listGrants(identity, caller, filterOf(query));
      const withNames = query.has('include_names') && !/^(0|false)$/i.test(query.get('include_names') ?? '');
      const grants = withNames ? await nameGrants(identity, found) : found;
      return {
        value: listView(
          'role_assignments',
          grants.map((grant) => assignmentView(grant, v3)),
          self,
        ),
      };
    },
  } satisfies Record<string, IdentityHandler>;
}

function filterOf(query: URLSearchParams): GrantFilter {
  const project = query.get('scope.project.id');
  const domain = query.get('scope.domain.id');
  return {
    userId: query.get('user.id') ?? undefined,
    roleId: query.get('role.id') ?? undefined,
    scope: scopeOf(project, domain, query.has('scope.system')),
  };
}

function scopeOf(project: string | null, domain: string | null, isSystem: boolean): GrantScope | undefined {
  if (project !== null) return { kind: 'project', id: project };
  if (domain !== null) return { kind: 'domain', id: domain };
  return isSystem ? { kind: 'system', id: 'all' } : undefined;
}
