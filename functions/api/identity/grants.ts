import type { Handlers } from '../../../api/handlers.ts';
import { assignmentView, listLinks, roleView } from '../../../api/identity/views.ts';
import {
  assignRole,
  checkRole,
  listGrants,
  listRolesOn,
  nameGrants,
  unassignRole,
} from '../../../core/identity/grants.ts';
import type { Identity } from '../../../core/identity/identity.ts';
import type { GrantScope } from '../../../core/identity/records.ts';
import type { ValidToken } from '../../../core/identity/repository.ts';
import { selfOf, v3Of } from './places.ts';

type GrantOperation =
  | `list${'Project' | 'Domain' | 'System'}Roles`
  | `${'assign' | 'check' | 'unassign'}${'Project' | 'Domain' | 'System'}Role`
  | 'listRoleAssignments';

/** A request about the roles of a user on something; the path of the system names nothing. */
interface ScopeRequest {
  readonly params: { readonly user: string; readonly scope?: string };
  readonly caller: ValidToken;
  readonly baseUrl: string;
  readonly path: string;
}
interface GrantRequest extends ScopeRequest {
  readonly params: ScopeRequest['params'] & { readonly role: string };
}

/** Roles of users on one kind of scope. */
function scopeHandlers(identity: Identity, kind: GrantScope['kind']) {
  const scopeOf = ({ params }: ScopeRequest): GrantScope => ({ kind, id: params.scope ?? 'all' });
  const grantOf = (request: GrantRequest) => ({
    userId: request.params.user,
    roleId: request.params.role,
    scope: scopeOf(request),
  });
  return {
    list: async (request: ScopeRequest) => {
      const roles = await listRolesOn(identity, request.caller, request.params.user, scopeOf(request));
      return { roles: roles.map((role) => roleView(role, v3Of(request))), links: listLinks(selfOf(request)) };
    },
    assign: async (request: GrantRequest) => assignRole(identity, request.caller, grantOf(request)),
    check: async (request: GrantRequest) => checkRole(identity, request.caller, grantOf(request)),
    unassign: async (request: GrantRequest) => unassignRole(identity, request.caller, grantOf(request)),
  };
}

/** Role assignments (contract: identity.md section 5). */
export function grantOperations(identity: Identity): Handlers<GrantOperation> {
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
    listRoleAssignments: async (request) => {
      const { filter, withNames } = request.query();
      const found = await listGrants(identity, request.caller, filter);
      const grants = withNames ? await nameGrants(identity, found) : found;
      return {
        role_assignments: grants.map((grant) => assignmentView(grant, v3Of(request))),
        links: listLinks(selfOf(request)),
      };
    },
  };
}
