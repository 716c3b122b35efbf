import { authenticate } from '../core/identity/authenticate.ts';
import { createIdentity, type Identity } from '../core/identity/identity.ts';
import { createTokenSigner, type SigningKey } from '../core/identity/token.ts';
import type { Authenticator } from '../core/ports.ts';
import { type ServiceDeps, serviceDeps } from './deps.ts';
import { ENVIRONMENT, EnvironmentError, required } from './environment.ts';
import { createKeystoneValidator } from './keystone/client.ts';

/** What entry points need that answer requests with tokens: the domain's dependencies and who the caller is. */
export interface ApiDeps extends ServiceDeps {
  readonly authenticator: Authenticator;
  readonly identity: Identity;
}

let built: Promise<ApiDeps> | undefined;

/** Built once per process. @throws EnvironmentError, ConfigError */
export function apiDeps(): Promise<ApiDeps> {
  built ??= createApiDeps();
  return built;
}

async function createApiDeps(): Promise<ApiDeps> {
  const deps = await serviceDeps();
  const { config, clock, newId, policy, identityRecords: repository } = deps;
  const signer = await createTokenSigner(signingKeys());
  const identity = createIdentity({
    repository,
    clock,
    newId,
    signer,
    tokenLifetimeSeconds: config.identity.token_expiration,
  });
  const validator = config.identity.mode === 'keystone' ? createKeystoneValidator(config.identity, clock) : identity;
  return {
    ...deps,
    identity,
    authenticator: { authenticate: (request) => authenticate({ identity: validator, policy, config }, request) },
  };
}

function signingKeys(): SigningKey[] {
  try {
    return JSON.parse(required(process.env, 'signingKeys')) as SigningKey[];
  } catch (error) {
    if (error instanceof EnvironmentError) throw error;
    throw new EnvironmentError(`${ENVIRONMENT.signingKeys} is no JSON array of keys`, { cause: error });
  }
}
