import type { Handlers, RequestOf } from '../../../api/handlers.ts';
import { tokenRequest } from '../../../api/identity/token-request.ts';
import {
  catalogView,
  domainView,
  listLinks,
  projectView,
  tokenView,
  versionView,
} from '../../../api/identity/views.ts';
import type { Config } from '../../../core/config.ts';
import { Forbidden, NotFound, Unauthenticated } from '../../../core/errors.ts';
import { hasSystemRole, listUserDomains, listUserProjects } from '../../../core/identity/grants.ts';
import type { Identity } from '../../../core/identity/identity.ts';
import type { ValidToken } from '../../../core/identity/repository.ts';
import { isAdmin } from '../../../core/identity/roles.ts';
import { placeOf, selfOf, serviceOf, v3Of } from './places.ts';

type TokenOperation =
  | 'listIdentityVersions'
  | 'showIdentityVersion'
  | 'createToken'
  | 'showToken'
  | 'checkToken'
  | 'deleteToken'
  | 'showCatalog'
  | 'listAuthProjects'
  | 'listAuthDomains'
  | 'listAuthSystem';

/** Discovery, tokens, and what the holder of a token may ask about it (contract: identity.md sections 1 to 3). */
export function tokenOperations(
  identity: Identity,
  config: Pick<Config, 'region_name' | 'identity'>,
): Handlers<TokenOperation> {
  const subjectToken = async ({ caller, headers, query }: RequestOf<'showToken' | 'checkToken' | 'deleteToken'>) => {
    const id = headers['x-subject-token'];
    if (!id) {
      if (isTrusted(caller)) throw new NotFound('X-Subject-Token is missing.');
      throw new Forbidden('X-Subject-Token is missing.');
    }
    const allowExpired = query().allowExpired && isTrusted(caller);
    const token = await identity.validate(id, { allowExpired }).catch((error: unknown) => {
      if (!(error instanceof Unauthenticated)) throw error;
      throw new NotFound('Could not recognize the token.', { cause: error });
    });
    if (token.user.id !== caller.user.id && !isTrusted(caller))
      throw new Forbidden('You are not authorized to perform the requested action: identity:validate_token.');
    return { id, token };
  };
  const tokenReply = (request: RequestOf<'createToken' | 'showToken'>, id: string, token: ValidToken) => ({
    value: tokenView(token, request.query().withCatalog ? catalogView(placeOf(request, config)) : undefined),
    headers: { 'x-subject-token': id },
  });

  return {
    listIdentityVersions: async (request) => ({
      value: { versions: { values: [versionView(serviceOf(request))] } },
      headers: { location: `${v3Of(request)}/` },
    }),
    showIdentityVersion: async (request) => ({ version: versionView(serviceOf(request)) }),
    createToken: async (request) => {
      const { id, token } = await identity.issue(tokenRequest(request.body()), request.source);
      return tokenReply(request, id, token);
    },
    showToken: async (request) => {
      const { id, token } = await subjectToken(request);
      return tokenReply(request, id, token);
    },
    checkToken: async (request) => ({
      value: undefined,
      headers: { 'x-subject-token': (await subjectToken(request)).id },
    }),
    deleteToken: async (request) => {
      const { token } = await subjectToken(request);
      if (token.user.id !== request.caller.user.id && !isAdmin(request.caller))
        throw new Forbidden('You are not authorized to perform the requested action: identity:revoke_token.');
      await identity.revokeToken(token, request.caller);
    },
    showCatalog: async (request) => {
      const { caller } = request;
      if (caller.project === null && caller.domain === null && caller.system === null)
        throw new Forbidden('The catalog needs a token with a scope.');
      return { catalog: catalogView(placeOf(request, config)), links: { self: selfOf(request) } };
    },
    listAuthProjects: async (request) => {
      const projects = await listUserProjects(identity, request.caller, request.caller.user.id);
      return {
        projects: projects.map((project) => projectView(project, v3Of(request))),
        links: listLinks(selfOf(request)),
      };
    },
    listAuthDomains: async (request) => {
      const domains = await listUserDomains(identity, request.caller.user.id);
      return { domains: domains.map((domain) => domainView(domain, v3Of(request))), links: listLinks(selfOf(request)) };
    },
    listAuthSystem: async (request) => {
      const holds = await hasSystemRole(identity, request.caller.user.id);
      return { system: holds ? [{ all: true }] : [], links: { self: selfOf(request) } };
    },
  };
}

/** May look at the tokens of others. */
function isTrusted(caller: ValidToken): boolean {
  return isAdmin(caller) || caller.roles.some(({ name }) => name === 'service');
}
