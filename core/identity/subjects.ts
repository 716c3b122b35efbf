import type { Clock } from '../clock.ts';
import { Unauthenticated } from '../errors.ts';
import { findBaseRoleId, findBaseRoleName } from './base-ids.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { Credential, Domain, GrantScope, Project, User } from './records.ts';
import type { IdentityRepository, NamedInDomain, NamedThing, ValidToken } from './repository.ts';
import { STALE_AFTER_MS } from './revocations.ts';
import { expandRoles } from './roles.ts';

/** Who a token speaks for: a user, on one scope or none, perhaps by a credential. */
export interface SubjectKey {
  readonly userId: string;
  readonly scope: GrantScope | null;
  readonly credentialId: string | null;
}

/** The subject as it is now: names, and roles expanded. */
export type Subject = Pick<ValidToken, 'user' | 'project' | 'domain' | 'system' | 'roles' | 'credential'>;

export interface Subjects {
  /** At most 5 s old. @throws Unauthenticated when user, scope or credential is gone or disabled, or no role is held there. */
  resolve(key: SubjectKey): Promise<Subject>;
  /** As `resolve`, and read now. */
  resolveNow(key: SubjectKey): Promise<Subject>;
  /** The roles held on a scope, implied ones included; empty when none. */
  rolesOn(userId: string, scope: GrantScope): Promise<NamedThing[]>;
  /** Forgets what is cached, after this process changed a record. */
  forget(): void;
}

const CACHED_SUBJECTS = 10_000;

export function createSubjects(repository: Pick<IdentityRepository, 'get' | 'grantsOf'>, clock: Clock): Subjects {
  const cache = new BoundedCache<string, { readonly atMs: number; readonly subject: Promise<Subject> }>(
    CACHED_SUBJECTS,
  );

  async function domainOf(id: string): Promise<Domain> {
    return enabled(await repository.get('domain', id));
  }

  async function roleName(id: string): Promise<NamedThing | undefined> {
    return findBaseRoleName(id) !== undefined
      ? { id, name: findBaseRoleName(id) ?? '' }
      : await repository.get('role', id);
  }

  /** Roles by id, and by name what they imply: only base roles are implied, and their ids are known. */
  async function expand(roleIds: readonly string[]): Promise<NamedThing[]> {
    const found = await Promise.all([...new Set(roleIds)].map(roleName));
    const held = found.filter((role) => role !== undefined).map(({ id, name }) => ({ id, name }));
    const idOf = new Map(held.map(({ id, name }) => [name, id]));
    return expandRoles(held.map(({ name }) => name)).flatMap((name) => {
      const id = idOf.get(name) ?? findBaseRoleId(name);
      return id === undefined ? [] : [{ id, name }];
    });
  }

  async function rolesOn(userId: string, scope: GrantScope): Promise<NamedThing[]> {
    const grants = await repository.grantsOf(userId);
    return expand(
      grants.filter((grant) => grant.scope.kind === scope.kind && grant.scope.id === scope.id).map((g) => g.roleId),
    );
  }

  async function named(record: User | Project): Promise<NamedInDomain> {
    const { id, name } = await domainOf(record.domainId);
    return { id: record.id, name: record.name, domain: { id, name } };
  }

  async function rolesFor(key: SubjectKey, credential: Credential | undefined): Promise<readonly NamedThing[]> {
    if (key.scope === null) return [];
    const held = await rolesOn(key.userId, key.scope);
    const roles = credential === undefined ? held : shared(await expand(credential.roleIds), held);
    if (roles.length === 0) throw new Unauthenticated('The user has no role there.');
    return roles;
  }

  async function credentialOf(key: SubjectKey): Promise<Credential | undefined> {
    if (key.credentialId === null) return undefined;
    const credential = await repository.get('credential', key.credentialId);
    const isUsable =
      credential?.userId === key.userId && (credential.expiresAtMs === null || credential.expiresAtMs > clock.now());
    if (!isUsable) throw new Unauthenticated('The application credential is gone or has expired.');
    return credential;
  }

  async function resolveNow(key: SubjectKey): Promise<Subject> {
    const [user, credential] = await Promise.all([
      repository.get('user', key.userId).then(enabled).then(named),
      credentialOf(key),
    ]);
    const { scope } = key;
    const [roles, project, domain] = await Promise.all([
      rolesFor(key, credential),
      scope?.kind === 'project' ? repository.get('project', scope.id).then(enabled).then(named) : null,
      scope?.kind === 'domain' ? domainOf(scope.id).then(({ id, name }) => ({ id, name })) : null,
    ]);
    return {
      user,
      project,
      domain,
      system: scope?.kind === 'system' ? 'all' : null,
      roles,
      credential: credential
        ? { id: credential.id, name: credential.name, restricted: !credential.unrestricted }
        : null,
    };
  }

  return {
    resolve: (key) => {
      const text = `${key.userId} ${key.scope?.kind} ${key.scope?.id} ${key.credentialId}`;
      const known = cache.get(text);
      if (known !== undefined && clock.now() - known.atMs < STALE_AFTER_MS) return known.subject;
      const subject = resolveNow(key);
      cache.set(text, { atMs: clock.now(), subject });
      subject.catch(() => cache.delete(text));
      return subject;
    },
    resolveNow,
    rolesOn,
    forget: () => cache.clear(),
  };
}

function enabled<T extends { readonly enabled: boolean }>(record: T | undefined): T {
  if (record?.enabled !== true) throw new Unauthenticated('The user, project or domain is gone or disabled.');
  return record;
}

function shared(wanted: readonly NamedThing[], held: readonly NamedThing[]): NamedThing[] {
  const ids = new Set(held.map((role) => role.id));
  return wanted.filter((role) => ids.has(role.id));
}
