import { randomBytes } from 'node:crypto';
import { Forbidden, InvalidInput, NotFound } from '../errors.ts';
import { requireAdmin } from './directory.ts';
import type { Identity } from './identity.ts';
import { hashPassword } from './password.ts';
import type { Credential } from './records.ts';
import type { ValidToken } from './repository.ts';

/** What a user asks for; everything but the name has a default. */
export interface CredentialInput {
  readonly name: string;
  readonly description: string | null;
  /** Absent: one is made. */
  readonly secret?: string | undefined;
  readonly expiresAtMs: number | null;
  /** By id or name, each held by the caller; absent: all roles of the caller's token. */
  readonly roles?: readonly { readonly id?: string | undefined; readonly name?: string | undefined }[] | undefined;
  readonly unrestricted: boolean;
}

const SECRET_BYTES = 64;

/**
 * Makes a credential of the caller's user in the caller's project. The secret is returned once and never again.
 * @throws Forbidden for another user's, without a project, or by the token of a restricted credential; InvalidInput for a role not held; Conflict.
 */
export async function createCredential(
  identity: Identity,
  caller: ValidToken,
  userId: string,
  input: CredentialInput,
): Promise<{ readonly credential: Credential; readonly secret: string }> {
  if (caller.user.id !== userId) throw new Forbidden('Application credentials are made by their own user.');
  refuseRestricted(caller);
  if (caller.project === null) throw new Forbidden('An application credential needs a token with a project.');
  if (input.expiresAtMs !== null && input.expiresAtMs <= identity.clock.now())
    throw new InvalidInput('expires_at lies in the past.');
  const secret = input.secret ?? randomBytes(SECRET_BYTES).toString('base64url');
  const credential: Credential = {
    id: identity.newId(),
    name: input.name,
    description: input.description,
    userId,
    projectId: caller.project.id,
    roleIds: chosenRoles(caller, input.roles),
    secretHash: await hashPassword(secret, input.secret === undefined ? 'random' : 'chosen'),
    expiresAtMs: input.expiresAtMs,
    unrestricted: input.unrestricted,
  };
  await identity.repository.create('credential', credential);
  return { credential, secret };
}

/** @throws Forbidden unless the user's own or admin. */
export async function listCredentials(
  { repository }: Identity,
  caller: ValidToken,
  userId: string,
  name: string | undefined,
): Promise<Credential[]> {
  requireAdmin(caller, 'identity:list_application_credentials', caller.user.id === userId);
  if (name === undefined) return repository.list('credential', userId);
  const credential = await repository.findByName('credential', userId, name);
  return credential === undefined ? [] : [credential];
}

/** @throws Forbidden unless the user's own or admin; NotFound. */
export async function showCredential(
  { repository }: Identity,
  caller: ValidToken,
  userId: string,
  id: string,
): Promise<Credential> {
  requireAdmin(caller, 'identity:get_application_credential', caller.user.id === userId);
  const credential = await repository.get('credential', id);
  if (credential?.userId !== userId) throw new NotFound(`Could not find application credential: ${id}.`);
  return credential;
}

/** Voids its tokens too. @throws Forbidden; NotFound. */
export async function deleteCredential(
  identity: Identity,
  caller: ValidToken,
  userId: string,
  id: string,
): Promise<void> {
  refuseRestricted(caller);
  const credential = await showCredential(identity, caller, userId, id);
  await identity.repository.delete('credential', credential);
  await identity.revokeAll(`credential:${id}`);
}

function refuseRestricted(caller: ValidToken): void {
  if (caller.credential?.restricted === true)
    throw new Forbidden('A restricted application credential may not manage application credentials.');
}

function chosenRoles(caller: ValidToken, wanted: CredentialInput['roles']): string[] {
  if (wanted === undefined || wanted.length === 0) return caller.roles.map(({ id }) => id);
  return wanted.map((one) => {
    const role = caller.roles.find(({ id, name }) => id === one.id || name === one.name);
    if (role === undefined) throw new InvalidInput(`You do not hold the role ${one.id ?? one.name} in this project.`);
    return role.id;
  });
}
