import { Unauthenticated } from '../errors.ts';
import type { Caller } from './caller.ts';
import type { TokenValidator, ValidToken } from './repository.ts';

export interface AuthenticateDeps {
  readonly identity: TokenValidator;
  /** The policy, as far as it says who is an administrator. */
  readonly policy: {
    allows(rule: 'context_is_admin', target: Readonly<Record<string, never>>, caller: Caller): Promise<boolean>;
  };
  readonly config: { readonly allow_anonymous_access: boolean };
}

export interface RequestIdentity {
  /** X-Auth-Token (or X-Storage-Token); empty counts as absent. */
  readonly token: string | undefined;
  /** X-Service-Token. */
  readonly serviceToken?: string | undefined;
  /** `req-…` */
  readonly requestId: string;
}

/**
 * Who makes this request (contract: README "Authentication at the edge", identity.md section 7).
 * A valid service token whose user has role `service` lets the user's token be up to two days past its end.
 * @throws Unauthenticated for no token or one that does not hold, service token included; BackendUnavailable.
 */
export async function authenticate(deps: AuthenticateDeps, request: RequestIdentity): Promise<Caller> {
  const { token, serviceToken, requestId } = request;
  if (!token) {
    if (deps.config.allow_anonymous_access) return anonymous(requestId);
    throw new Unauthenticated('The request you have made requires authentication.');
  }
  const service = serviceToken ? await deps.identity.validate(serviceToken) : undefined;
  const serviceRoles = service ? lowerCased(service) : NO_ROLES;
  const allowExpired = serviceRoles.includes('service');
  const valid = await deps.identity.validate(token, { allowExpired });
  const caller = { ...callerOf(valid, service, serviceRoles, requestId), token };
  return (await deps.policy.allows('context_is_admin', {}, caller)) ? { ...caller, isAdmin: true } : caller;
}

const NO_ROLES: readonly string[] = [];

function callerOf(
  token: ValidToken,
  service: ValidToken | undefined,
  serviceRoles: readonly string[],
  requestId: string,
): Caller {
  return {
    userId: token.user.id,
    userName: token.user.name,
    userDomainId: token.user.domain.id,
    projectId: token.project?.id ?? null,
    projectName: token.project?.name ?? null,
    projectDomainId: token.project?.domain.id ?? null,
    domainId: token.domain?.id ?? null,
    systemScope: token.system,
    roles: lowerCased(token),
    serviceRoles,
    serviceUserId: service?.user.id ?? null,
    serviceUserDomainId: service?.user.domain.id ?? null,
    serviceProjectId: service?.project?.id ?? null,
    serviceProjectDomainId: service?.project?.domain.id ?? null,
    isAdmin: false,
    requestId,
  };
}

const lowerCased = ({ roles }: ValidToken): string[] => roles.map(({ name }) => name.toLowerCase());

function anonymous(requestId: string): Caller {
  return {
    userId: '',
    userName: '',
    userDomainId: '',
    projectId: null,
    projectName: null,
    projectDomainId: null,
    domainId: null,
    systemScope: null,
    roles: NO_ROLES,
    serviceRoles: NO_ROLES,
    serviceUserId: null,
    serviceProjectId: null,
    isAdmin: false,
    isReadOnly: true,
    requestId,
  };
}
