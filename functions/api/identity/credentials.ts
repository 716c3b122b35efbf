import type { Handlers } from '../../../api/handlers.ts';
import { credentialView, listLinks } from '../../../api/identity/views.ts';
import {
  createCredential,
  deleteCredential,
  listCredentials,
  showCredential,
} from '../../../core/identity/credentials.ts';
import type { Identity } from '../../../core/identity/identity.ts';
import type { Credential, Role } from '../../../core/identity/records.ts';
import { selfOf, v3Of } from './places.ts';

type CredentialOperation = 'listCredentials' | 'createCredential' | 'showCredential' | 'deleteCredential';

/** Application credentials of a user. */
export function credentialOperations(identity: Identity): Handlers<CredentialOperation> {
  const rolesOf = async ({ roleIds }: Credential): Promise<Role[]> => {
    const roles = await Promise.all(roleIds.map((id) => identity.repository.get('role', id)));
    return roles.filter((role) => role !== undefined);
  };
  const view = async (credential: Credential, request: { readonly baseUrl: string }, secret?: string) =>
    credentialView(credential, await rolesOf(credential), v3Of(request), secret);

  return {
    listCredentials: async (request) => {
      const { caller, params, query } = request;
      const found = await listCredentials(identity, caller, params.user, query());
      const views = await Promise.all(found.map((credential) => view(credential, request)));
      return { application_credentials: views, links: listLinks(selfOf(request)) };
    },
    createCredential: async (request) => {
      const input = request.body().application_credential;
      const { credential, secret } = await createCredential(identity, request.caller, request.params.user, {
        name: input.name,
        description: input.description ?? null,
        secret: input.secret ?? undefined,
        expiresAtMs: input.expires_at ?? null,
        roles: input.roles,
        unrestricted: input.unrestricted ?? false,
      });
      return { application_credential: await view(credential, request, secret) };
    },
    showCredential: async (request) => {
      const credential = await showCredential(identity, request.caller, request.params.user, request.params.id);
      return { application_credential: await view(credential, request) };
    },
    deleteCredential: async ({ params, caller }) => deleteCredential(identity, caller, params.user, params.id),
  };
}
