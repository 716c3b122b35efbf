import { Conflict } from '../errors.ts';
import { baseId, baseRoleId } from './base-ids.ts';
import type { Identity } from './identity.ts';
import { hashPassword, isPassword, type SecretOrigin } from './password.ts';
import { DEFAULT_DOMAIN_ID, type NamedRecords, type RecordKind, type User } from './records.ts';
import { BASE_ROLES, type BaseRole } from './roles.ts';

/** The accounts that every new service has (design section 3): one user, one project, one role there. */
export const BOOTSTRAP_ACCOUNTS = {
  admin: { project: 'admin', role: 'admin' },
  demo: { project: 'demo', role: 'member' },
  alt: { project: 'alt', role: 'member' },
  reader: { project: 'demo', role: 'reader' },
  service: { project: 'service', role: 'service' },
} as const satisfies Record<string, { readonly project: string; readonly role: BaseRole }>;

export type BootstrapAccount = keyof typeof BOOTSTRAP_ACCOUNTS;
/** Passwords by account; they come from outside (the data folder of `npm start`, secrets in production). */
export type BootstrapPasswords = Readonly<Record<BootstrapAccount, string>>;

export interface BootstrapOptions {
  readonly passwords: BootstrapPasswords;
  /** `random` for passwords that were generated: checking them at each start, and each log-in, then takes milliseconds. */
  readonly origin?: SecretOrigin;
}

/**
 * Makes what is missing of the Default domain, the base roles, and the accounts with their grants, and sets a password that differs from the one given.
 * Idempotent, and safe when two processes do it at once: ids follow from names.
 */
export async function bootstrapIdentity(
  identity: Pick<Identity, 'repository' | 'revokeAll'>,
  { passwords, origin = 'chosen' }: BootstrapOptions,
): Promise<void> {
  const { repository } = identity;
  await ensure(repository, 'domain', {
    id: DEFAULT_DOMAIN_ID,
    name: 'Default',
    description: 'The default domain',
    enabled: true,
  });
  await Promise.all([
    ...BASE_ROLES.map((name) => ensure(repository, 'role', { id: baseRoleId(name), name, description: null })),
    ...[...new Set(Object.values(BOOTSTRAP_ACCOUNTS).map(({ project }) => project))].map((name) =>
      ensure(repository, 'project', {
        id: baseId('project', name),
        name,
        domainId: DEFAULT_DOMAIN_ID,
        description: '',
        enabled: true,
        tags: [],
      }),
    ),
  ]);
  await Promise.all(
    Object.entries(BOOTSTRAP_ACCOUNTS).map(async ([name, { project, role }]) => {
      await ensureUser(identity, name, baseId('project', project), passwords[name as BootstrapAccount], origin);
      const scope = { kind: 'project', id: baseId('project', project) } as const;
      await repository.putGrant({ userId: baseId('user', name), roleId: baseRoleId(role), scope });
    }),
  );
  // The first administrator also has the system, as after `keystone-manage bootstrap`.
  const system = { kind: 'system', id: 'all' } as const;
  await repository.putGrant({ userId: baseId('user', 'admin'), roleId: baseRoleId('admin'), scope: system });
}

async function ensureUser(
  { repository, revokeAll }: Pick<Identity, 'repository' | 'revokeAll'>,
  name: string,
  defaultProjectId: string,
  password: string,
  origin: SecretOrigin,
): Promise<void> {
  const id = baseId('user', name);
  const known = await repository.get('user', id);
  if (known?.passwordHash && (await isPassword(password, known.passwordHash))) return;
  const passwordHash = await hashPassword(password, origin);
  const fresh: User = {
    id,
    name,
    domainId: DEFAULT_DOMAIN_ID,
    enabled: true,
    email: null,
    description: null,
    defaultProjectId,
    passwordHash,
  };
  if (known === undefined) return ensure(repository, 'user', fresh);
  await repository.replace('user', known, { ...known, passwordHash });
  await revokeAll(`user:${id}`);
}

/** Creates a record unless it, or one of its name, is there. */
async function ensure<K extends RecordKind>(
  repository: Identity['repository'],
  kind: K,
  record: NamedRecords[K],
): Promise<void> {
  if ((await repository.get(kind, record.id)) !== undefined) return;
  await repository.create(kind, record).catch((error: unknown) => {
    if (!(error instanceof Conflict)) throw error;
  });
}
