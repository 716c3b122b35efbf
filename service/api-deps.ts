import { authenticate } from '../core/identity/authenticate.ts';
import type { Authenticator } from '../core/identity/authenticator.ts';
import { createIdentity, type Identity } from '../core/identity/identity.ts';
import type { TokenValidator } from '../core/identity/repository.ts';
import { createTokenSigner, type SigningKey } from '../core/identity/token.ts';
import { createKeystoneValidator } from '../keystone/client.ts';
import { type ServiceDeps, serviceDeps } from './deps.ts';
import { ENVIRONMENT, EnvironmentError, optional, required } from './environment.ts';

/** What entry points need that answer requests with tokens: the domain's dependencies and who the caller is. */
export interface ApiDeps extends ServiceDeps {
  readonly authenticator: Authenticator;
  /** Absent where an existing Keystone issues the tokens. */
  readonly identity?: Identity;
  /** By which the edge is known (api/client-address.ts). */
  readonly edgeSecret?: string;
}

let built: Promise<ApiDeps> | undefined;

/** Built once per process. @throws EnvironmentError, ConfigError */
export function apiDeps(): Promise<ApiDeps> {
  built ??= createApiDeps();
  return built;
}

async function createApiDeps(): Promise<ApiDeps> {
  const deps = await serviceDeps();
  const edgeSecret = optional(process.env, 'edgeSecret');
  const edge = edgeSecret === undefined ? {} : { edgeSecret };
  if (deps.config.identity.mode === 'keystone')
    return {
      ...deps,
      ...edge,
      authenticator: authenticatorOf(deps, createKeystoneValidator(deps.keystone(), deps.config.identity, deps.clock)),
    };
  const identity = createIdentity({
    repository: deps.identityRecords,
    clock: deps.clock,
    newId: deps.newId,
    signer: await createTokenSigner(signingKeys()),
    tokenLifetimeSeconds: deps.config.identity.token_expiration,
  });
  return { ...deps, ...edge, identity, authenticator: authenticatorOf(deps, identity) };
}

function authenticatorOf({ policy, config }: ServiceDeps, identity: TokenValidator): Authenticator {
  return { authenticate: (request) => authenticate({ identity, policy, config }, request) };
}

function signingKeys(): SigningKey[] {
  try {
    return JSON.parse(required(process.env, 'signingKeys')) as SigningKey[];
  } catch (error) {
    if (error instanceof EnvironmentError) throw error;
    throw new EnvironmentError(`${ENVIRONMENT.signingKeys} is no JSON array of keys`, { cause: error });
  }
}
