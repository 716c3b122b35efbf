import type { JWK } from 'jose';
import { authenticate } from '../core/identity/authenticate.ts';
import type { Authenticator } from '../core/identity/authenticator.ts';
import { createIdentity, type Identity } from '../core/identity/identity.ts';
import type { TokenValidator } from '../core/identity/repository.ts';
import { createTokenSigner, createTokenVerifier } from '../core/identity/token.ts';
import { createReadOnlyValidator } from '../core/identity/validator.ts';
import { createKeystoneValidator } from '../keystone/client.ts';
import { type ServiceDeps, serviceDeps } from './deps.ts';
import { ENVIRONMENT, EnvironmentError, optional, required } from './environment.ts';

/** What entry points need that answer requests with tokens: the domain's dependencies and who the caller is. */
export interface ApiDeps extends ServiceDeps {
  readonly authenticator: Authenticator;
  /** Absent in processes that check tokens and make none, and where an existing Keystone issues them. */
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
  if (optional(process.env, 'signingKeys') === undefined) {
    const verifier = await createTokenVerifier(keysOf('verificationKeys'));
    const validator = createReadOnlyValidator(deps.identityRecords, verifier, deps.clock);
    return { ...deps, authenticator: authenticatorOf(deps, validator) };
  }
  const identity = createIdentity({
    repository: deps.identityRecords,
    clock: deps.clock,
    newId: deps.newId,
    signer: await createTokenSigner(keysOf('signingKeys')),
    tokenLifetimeSeconds: deps.config.identity.token_expiration,
  });
  return { ...deps, ...edge, identity, authenticator: authenticatorOf(deps, identity) };
}

function authenticatorOf({ policy, config }: ServiceDeps, identity: TokenValidator): Authenticator {
  return { authenticate: (request) => authenticate({ identity, policy, config }, request) };
}

/** @throws EnvironmentError that says nothing of the value */
function keysOf(name: 'signingKeys' | 'verificationKeys'): JWK[] {
  const text = required(process.env, name);
  try {
    return JSON.parse(text) as JWK[];
  } catch {
    // biome-ignore lint/style/useErrorCause: the parser's own words would quote the secret
    throw new EnvironmentError(`${ENVIRONMENT[name]} is no JSON array of keys`);
  }
}
