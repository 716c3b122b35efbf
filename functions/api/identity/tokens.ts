import { TokenBody, tokenRequest } from '../../../api/identity/token-request.ts';
import { catalogView, domainView, listView, projectView, tokenView, versionView } from '../../../api/identity/views.ts';
import { Forbidden, NotFound, Unauthenticated } from '../../../core/errors.ts';
import { isAdmin } from '../../../core/identity/directory.ts';
import { hasSystemRole, listUserDomains, listUserProjects } from '../../../core/identity/grants.ts';
import type { Identity } from '../../../core/identity/identity.ts';
import type { ValidToken } from '../../../core/identity/repository.ts';
import type { IdentityHandler, IdentityReply, IdentityRequest } from './request.ts';

/** Discovery, tokens, and what the holder of a token may ask about it (contract: identity.md sections 1 to 3). */
export function tokenHandlers(identity: Identity) {
  const subjectToken = async (request: IdentityRequest) => {
    const id = request.headers['x-subject-token'];
    const { caller } = request;
    if (!id) {
      if (isTrusted(caller)) throw new NotFound('X-Subject-Token is missing.');
      throw new Forbidden('X-Subject-Token is missing.');
    }
    const allowExpired = isTrue(request.query.get('allow_expired')) && isTrusted(caller);
    const token = await identity.validate(id, { allowExpired }).catch((error: unknown) => {
      if (!(error instanceof Unauthenticated)) throw error;
      throw new NotFound('Could not recognize the token.', { cause: error });
    });
    if (token.user.id !== caller.user.id && !isTrusted(caller))
      throw new Forbidden('You are not authorized to perform the requested action: identity:validate_token.');
    return { id, token };
  };

  return {
    listIdentityVersions: async ({ base }) => ({
      value: { versions: { values: [versionView(base)] } },
      headers: { location: `${base}/v3/` },
    }),
    showIdentityVersion: async ({ base }) => ({ value: { version: versionView(base) } }),
    createToken: async (request) => {
      const { id, token } = await identity.issue(tokenRequest(request.parse(TokenBody)), request.source);
      return tokenReply(request, id, token);
    },
    showToken: async (request) => {
      const { id, token } = await subjectToken(request);
      return tokenReply(request, id, token);
    },
    checkToken: async (request) => ({ headers: { 'x-subject-token': (await subjectToken(request)).id } }),
    deleteToken: async (request) => {
      await identity.revokeToken((await subjectToken(request)).token);
      return {};
    },
    showCatalog: async ({ caller, place, self }) => {
      if (caller.project === null && caller.domain === null && caller.system === null)
        throw new Forbidden('The catalog needs a token with a scope.');
      return { value: { catalog: catalogView(place), links: { self } } };
    },
    listAuthProjects: async ({ caller, v3, self }) => {
      const projects = await listUserProjects(identity, caller, caller.user.id);
      return {
        value: listView(
          'projects',
          projects.map((project) => projectView(project, v3)),
          self,
        ),
      };
    },
    listAuthDomains: async ({ caller, v3, self }) => {
      const domains = await listUserDomains(identity, caller.user.id);
      return {
        value: listView(
          'domains',
          domains.map((domain) => domainView(domain, v3)),
          self,
        ),
      };
    },
    listAuthSystem: async ({ caller, self }) => {
      const system = (await hasSystemRole(identity, caller.user.id)) ? [{ all: true }] : [];
      return { value: { system, links: { self } } };
    },
  } satisfies Record<string, IdentityHandler>;
}

function tokenReply(request: IdentityRequest, id: string, token: ValidToken): IdentityReply {
  const catalog = request.query.has('nocatalog') ? undefined : catalogView(request.place);
  return { value: tokenView(token, catalog), headers: { 'x-subject-token': id } };
}

/** May look at the tokens of others. */
function isTrusted(caller: ValidToken): boolean {
  return isAdmin(caller) || caller.roles.some(({ name }) => name === 'service');
}

function isTrue(value: string | null): boolean {
  return value === '1' || value?.toLowerCase() === 'true';
}
