import { NotFound } from '../errors.ts';
import { requireAdmin } from './directory.ts';
import type { Identity } from './identity.ts';
import type { Domain, Grant, GrantScope, Project, Role, User } from './records.ts';
import type { NamedInDomain, NamedThing, ValidToken } from './repository.ts';

/** Gives a role. Idempotent. @throws Forbidden; NotFound when user, role or scope does not exist. */
export async function assignRole(identity: Identity, caller: ValidToken, grant: Grant): Promise<void> {
  requireAdmin(caller, 'identity:create_grant');
  await checkParts(identity, grant);
  await identity.repository.putGrant(grant);
  identity.subjects.forget();
}

/** Takes a role away; tokens that rested on it lose it within seconds. @throws Forbidden; NotFound. */
export async function unassignRole(identity: Identity, caller: ValidToken, grant: Grant): Promise<void> {
  requireAdmin(caller, 'identity:revoke_grant');
  if (!(await identity.repository.removeGrant(grant))) throw new NotFound('Could not find role assignment.');
  identity.subjects.forget();
}

/** @throws Forbidden; NotFound when the role is not held (directly, not by implication). */
export async function checkRole(identity: Identity, caller: ValidToken, grant: Grant): Promise<void> {
  requireAdmin(caller, 'identity:check_grant');
  const roles = await directRoles(identity, grant.userId, grant.scope);
  if (!roles.some(({ id }) => id === grant.roleId)) throw new NotFound('Could not find role assignment.');
}

/** Roles that a user holds directly on a scope. @throws Forbidden */
export async function listRolesOn(
  identity: Identity,
  caller: ValidToken,
  userId: string,
  scope: GrantScope,
): Promise<Role[]> {
  requireAdmin(caller, 'identity:list_grants');
  return directRoles(identity, userId, scope);
}

export interface GrantFilter {
  readonly userId?: string | undefined;
  readonly roleId?: string | undefined;
  readonly scope?: GrantScope | undefined;
}

/** Role assignments, those of a user read consistently. @throws Forbidden unless admin or the user asked about. */
export async function listGrants(identity: Identity, caller: ValidToken, filter: GrantFilter): Promise<Grant[]> {
  const { userId, roleId, scope } = filter;
  requireAdmin(caller, 'identity:list_role_assignments', userId === caller.user.id);
  const grants = await candidates(identity, filter);
  return grants.filter(
    (grant) =>
      (roleId === undefined || grant.roleId === roleId) &&
      (scope === undefined || (grant.scope.kind === scope.kind && grant.scope.id === scope.id)),
  );
}

/** A grant with the names of its parts; null where the record is gone. */
export interface NamedGrant extends Grant {
  readonly user: NamedInDomain | null;
  readonly role: NamedThing | null;
  /** The project or domain. */
  readonly target: NamedThing | NamedInDomain | null;
}

/** Adds names, for `include_names`. */
export async function nameGrants({ repository }: Identity, grants: readonly Grant[]): Promise<NamedGrant[]> {
  const inDomain = async (record: User | Project | undefined): Promise<NamedInDomain | null> => {
    const domain = record && (await repository.get('domain', record.domainId));
    return record && domain ? { ...namedThing(record), domain: namedThing(domain) } : null;
  };
  const targetOf = async ({ kind, id }: GrantScope) => {
    if (kind === 'project') return inDomain(await repository.get('project', id));
    const domain = kind === 'domain' ? await repository.get('domain', id) : undefined;
    return domain ? namedThing(domain) : null;
  };
  return Promise.all(
    grants.map(async (grant) => {
      const role = await repository.get('role', grant.roleId);
      return {
        ...grant,
        user: await inDomain(await repository.get('user', grant.userId)),
        role: role ? namedThing(role) : null,
        target: await targetOf(grant.scope),
      };
    }),
  );
}

const namedThing = ({ id, name }: NamedThing): NamedThing => ({ id, name });

/** Projects where a user has a role, disabled ones left out. @throws Forbidden unless admin or the user. */
export async function listUserProjects(identity: Identity, caller: ValidToken, userId: string): Promise<Project[]> {
  requireAdmin(caller, 'identity:list_user_projects', userId === caller.user.id);
  const projects = await scopesOf(identity, userId, 'project');
  return projects.filter(({ enabled }) => enabled).sort(byName);
}

/** Domains where a user has a role: what `GET /v3/auth/domains` lists for the caller. */
export async function listUserDomains(identity: Identity, userId: string): Promise<Domain[]> {
  const domains = await scopesOf(identity, userId, 'domain');
  return domains.filter(({ enabled }) => enabled).sort(byName);
}

/** True when the user has a role on the system. */
export async function hasSystemRole({ repository }: Identity, userId: string): Promise<boolean> {
  return (await repository.grantsOf(userId)).some(({ scope }) => scope.kind === 'system');
}

function candidates({ repository }: Identity, { userId, scope }: GrantFilter): Promise<Grant[]> {
  if (userId !== undefined) return repository.grantsOf(userId);
  return scope === undefined ? repository.allGrants() : repository.grantsOn(scope);
}

async function scopesOf<K extends 'project' | 'domain'>({ repository }: Identity, userId: string, kind: K) {
  const grants = (await repository.grantsOf(userId)).filter(({ scope }) => scope.kind === kind);
  const ids = new Set(grants.map(({ scope }) => scope.id));
  const records = await Promise.all([...ids].map((id) => repository.get(kind, id)));
  return records.filter((record) => record !== undefined);
}

async function directRoles({ repository }: Identity, userId: string, scope: GrantScope): Promise<Role[]> {
  const grants = (await repository.grantsOf(userId)).filter(
    (grant) => grant.scope.kind === scope.kind && grant.scope.id === scope.id,
  );
  const roles = await Promise.all(grants.map(({ roleId }) => repository.get('role', roleId)));
  return roles.filter((role) => role !== undefined).sort(byName);
}

async function checkParts({ repository }: Identity, { userId, roleId, scope }: Grant): Promise<void> {
  const wanted = [
    ['user', userId],
    ['role', roleId],
    ...(scope.kind === 'system' ? [] : [[scope.kind, scope.id] as const]),
  ] as const;
  for (const [kind, id] of wanted)
    if ((await repository.get(kind, id)) === undefined) throw new NotFound(`Could not find ${kind}: ${id}.`);
}

const byName = (a: NamedThing, b: NamedThing): number => (a.name < b.name ? -1 : Number(a.name > b.name));
