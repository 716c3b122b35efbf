import { Forbidden, InvalidInput, NotFound } from '../errors.ts';
import { findBaseRoleName } from './base-ids.ts';
import type { Identity } from './identity.ts';
import {
  type Credential,
  DEFAULT_DOMAIN_ID,
  type Domain,
  type NamedRecords,
  type Project,
  type Role,
  type User,
} from './records.ts';
import type { ValidToken } from './repository.ts';
import { isAdmin } from './roles.ts';

/** Records that an administrator keeps; credentials belong to their users (credentials.ts). */
export type DirectoryKind = Exclude<keyof NamedRecords, 'credential'>;

/** What sets one kind apart from the others. */
interface KindRules<T> {
  /** Who may read one besides administrators: Keystone's defaults. */
  readonly mayShow: (caller: ValidToken, record: T) => boolean;
  readonly isEnabled?: (record: T) => boolean;
  /** @throws Forbidden when it must not be deleted. */
  readonly checkDelete?: (record: T) => void;
}

const RULES: { readonly [K in DirectoryKind]: KindRules<NamedRecords[K]> } = {
  user: { mayShow: (caller, user) => caller.user.id === user.id, isEnabled: (user) => user.enabled },
  project: {
    mayShow: (caller, project) => caller.project?.id === project.id,
    isEnabled: (project) => project.enabled,
  },
  domain: {
    mayShow: (caller, domain) =>
      caller.domain?.id === domain.id || caller.project?.domain.id === domain.id || caller.user.domain.id === domain.id,
    checkDelete: refuseLiveDomain,
  },
  role: { mayShow: () => false, checkDelete: refuseBaseRole },
};

/** @throws Forbidden unless the caller is an administrator, or `orElse` holds. */
export function requireAdmin(caller: ValidToken, action: string, orElse = false): void {
  if (!orElse && !isAdmin(caller))
    throw new Forbidden(`You are not authorized to perform the requested action: ${action}.`);
}

/** @throws Forbidden for a non-administrator whether or not the record exists, so that ids cannot be tried; NotFound. */
export async function show<K extends DirectoryKind>(
  identity: Identity,
  caller: ValidToken,
  kind: K,
  id: string,
): Promise<NamedRecords[K]> {
  const record = await identity.repository.get(kind, id);
  requireAdmin(caller, `identity:get_${kind}`, record !== undefined && RULES[kind].mayShow(caller, record));
  return found(record, kind, id);
}

export interface ListFilter {
  readonly name?: string | undefined;
  readonly domainId?: string | undefined;
  readonly enabled?: boolean | undefined;
}

/** All records of a kind that pass the filters, by name. An unknown name gives an empty list. @throws Forbidden */
export async function list<K extends DirectoryKind>(
  identity: Identity,
  caller: ValidToken,
  kind: K,
  filter: ListFilter,
): Promise<NamedRecords[K][]> {
  requireAdmin(caller, `identity:list_${kind}s`);
  const records =
    filter.name === undefined
      ? await identity.repository.list(kind)
      : await byName(identity, kind, filter.name, filter.domainId);
  return records.filter(
    (record) =>
      (filter.domainId === undefined || !('domainId' in record) || record.domainId === filter.domainId) &&
      (filter.enabled === undefined || !('enabled' in record) || record.enabled === filter.enabled),
  );
}

/** @throws Forbidden; Conflict when the name is taken; InvalidInput when the domain or default project does not exist. */
export async function create<K extends DirectoryKind>(
  identity: Identity,
  caller: ValidToken,
  kind: K,
  record: NamedRecords[K],
): Promise<NamedRecords[K]> {
  requireAdmin(caller, `identity:create_${kind}`);
  await checkReferences(identity, record);
  await identity.repository.create(kind, record);
  identity.subjects.forget();
  return record;
}

/**
 * Changes what `change` names. Disabling, and a new password, void the tokens there are.
 * @throws Forbidden; NotFound; Conflict; InvalidInput.
 */
export async function update<K extends DirectoryKind>(
  identity: Identity,
  caller: ValidToken,
  kind: K,
  id: string,
  change: Partial<NamedRecords[K]>,
): Promise<NamedRecords[K]> {
  requireAdmin(caller, `identity:update_${kind}`);
  const before = found(await identity.repository.get(kind, id), kind, id);
  if (kind === 'role') refuseBaseRole(before as Role);
  const after = { ...before, ...change };
  await checkReferences(identity, after);
  await identity.repository.replace(kind, before, after);
  const isDisabled = RULES[kind].isEnabled?.(after) === false;
  const isNewPassword = 'passwordHash' in change;
  if (isDisabled || isNewPassword) await voidTokens(identity, kind, id);
  identity.subjects.forget();
  return after;
}

/** Removes a record with its grants and credentials, and voids its tokens. @throws Forbidden; NotFound. */
export async function remove(identity: Identity, caller: ValidToken, kind: DirectoryKind, id: string): Promise<void> {
  requireAdmin(caller, `identity:delete_${kind}`);
  const record = found(await identity.repository.get(kind, id), kind, id);
  checkRemoval(kind, record);
  if (kind === 'user') await removeBelongings(identity, id);
  if (kind === 'project') await removeGrantsOn(identity, id);
  await identity.repository.delete(kind, record);
  await voidTokens(identity, kind, id);
  identity.subjects.forget();
}

/** Tokens of domains and roles need no record: they are resolved again within seconds. */
async function voidTokens(identity: Identity, kind: DirectoryKind, id: string): Promise<void> {
  if (kind === 'user' || kind === 'project') await identity.revokeAll(`${kind}:${id}`);
}

function checkRemoval<K extends DirectoryKind>(kind: K, record: NamedRecords[K]): void {
  RULES[kind].checkDelete?.(record);
}

async function removeBelongings({ repository }: Identity, userId: string): Promise<void> {
  const credentials: Credential[] = await repository.list('credential', userId);
  await Promise.all([
    ...credentials.map((credential) => repository.delete('credential', credential)),
    ...(await repository.grantsOf(userId)).map((grant) => repository.removeGrant(grant)),
  ]);
}

async function removeGrantsOn({ repository }: Identity, projectId: string): Promise<void> {
  const grants = await repository.grantsOn({ kind: 'project', id: projectId });
  await Promise.all(grants.map((grant) => repository.removeGrant(grant)));
}

async function byName<K extends DirectoryKind>(
  { repository }: Identity,
  kind: K,
  name: string,
  domainId: string | undefined,
): Promise<NamedRecords[K][]> {
  const spaces = await spacesOf(repository, kind, domainId);
  const records = await Promise.all(spaces.map((space) => repository.findByName(kind, space, name)));
  return records.filter((record) => record !== undefined);
}

async function spacesOf(repository: Identity['repository'], kind: DirectoryKind, domainId: string | undefined) {
  if (kind === 'domain' || kind === 'role') return [''];
  return domainId === undefined ? (await repository.list('domain')).map(({ id }) => id) : [domainId];
}

async function checkReferences({ repository }: Identity, record: Domain | Project | User | Role): Promise<void> {
  if ('domainId' in record && (await repository.get('domain', record.domainId)) === undefined)
    throw new InvalidInput(`The domain ${record.domainId} does not exist.`);
}

function found<T>(record: T | undefined, kind: string, id: string): T {
  if (record === undefined) throw new NotFound(`Could not find ${kind}: ${id}.`);
  return record;
}

function refuseLiveDomain(domain: Domain): void {
  if (domain.id === DEFAULT_DOMAIN_ID) throw new Forbidden('The default domain cannot be deleted.');
  if (domain.enabled) throw new Forbidden('Cannot delete a domain that is enabled, please disable it first.');
}

function refuseBaseRole(role: Role): void {
  if (findBaseRoleName(role.id) !== undefined)
    throw new Forbidden(`Cannot change or delete the role ${role.name}: the service is built on it.`);
}
