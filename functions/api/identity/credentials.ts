import { CredentialCreate } from '../../../api/identity/schemas.ts';
import { credentialView, listView } from '../../../api/identity/views.ts';
import {
  createCredential,
  deleteCredential,
  listCredentials,
  showCredential,
} from '../../../core/identity/credentials.ts';
import type { Identity } from '../../../core/identity/identity.ts';
import type { Credential, Role } from '../../../core/identity/records.ts';
import type { IdentityHandler, IdentityRequest } from './request.ts';

/** Application credentials of a user. */
export function credentialHandlers(identity: Identity) {
  const rolesOf = async ({ roleIds }: Credential): Promise<Role[]> => {
    const roles = await Promise.all(roleIds.map((id) => identity.repository.get('role', id)));
    return roles.filter((role) => role !== undefined);
  };
  const view = async (credential: Credential, { v3 }: IdentityRequest, secret?: string) =>
    credentialView(credential, await rolesOf(credential), v3, secret);

  return {
    listCredentials: async (request) => {
      const { caller, query, self } = request;
      const found = await listCredentials(identity, caller, userOf(request), query.get('name') ?? undefined);
      const views = await Promise.all(found.map((credential) => view(credential, request)));
      return { value: listView('application_credentials', views, self) };
    },
    createCredential: async (request) => {
      const input = request.parse(CredentialCreate).application_credential;
      const { credential, secret } = await createCredential(identity, request.caller, userOf(request), {
        name: input.name,
        description: input.description ?? null,
        secret: input.secret ?? undefined,
        expiresAtMs: input.expires_at ?? null,
        roles: input.roles,
        unrestricted: input.unrestricted ?? false,
      });
      return { value: { application_credential: await view(credential, request, secret) } };
    },
    showCredential: async (request) => {
      const credential = await showCredential(identity, request.caller, userOf(request), request.params['id'] ?? '');
      return { value: { application_credential: await view(credential, request) } };
    },
    deleteCredential: async (request) => {
      await deleteCredential(identity, request.caller, userOf(request), request.params['id'] ?? '');
      return {};
    },
  } satisfies Record<string, IdentityHandler>;
}

const userOf = ({ params }: IdentityRequest): string => params['user'] ?? '';
