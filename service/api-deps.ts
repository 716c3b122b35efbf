import { authenticate } from '../core/identity/authenticate.ts';
import type { Authenticator } from '../core/identity/authenticator.ts';
import type { TokenValidator } from '../core/identity/repository.ts';
import { createTokenVerifier } from '../core/identity/token.ts';
import { createReadOnlyValidator } from '../core/identity/validator.ts';
import { createKeystoneValidator } from '../keystone/client.ts';
import { type ServiceDeps, serviceDeps } from './deps.ts';
import { required } from './environment.ts';
import { keysIn } from './token-keys.ts';

/** What entry points need that answer requests with tokens: the domain's dependencies and who the caller is. */
export interface ApiDeps extends ServiceDeps {
  readonly authenticator: Authenticator;
}

let built: Promise<ApiDeps> | undefined;

/**
 * Of a process that checks tokens and makes none (service/identity-deps.ts does): it holds public keys only. Built once per process.
 * @throws EnvironmentError, ConfigError
 */
export function apiDeps(): Promise<ApiDeps> {
  built ??= createApiDeps();
  return built;
}

async function createApiDeps(): Promise<ApiDeps> {
  const deps = await serviceDeps();
  return { ...deps, authenticator: authenticatorOf(deps, keystoneOf(deps) ?? (await validatorOf(deps))) };
}

async function validatorOf({ identityRecords, clock }: ServiceDeps): Promise<TokenValidator> {
  const keys = keysIn('verificationKeys', required(process.env, 'verificationKeys'));
  return createReadOnlyValidator(identityRecords, await createTokenVerifier(keys), clock);
}

/** The existing Keystone that issues the tokens, if one does. */
export function keystoneOf({ config, keystone, clock }: ServiceDeps): TokenValidator | undefined {
  if (config.identity.mode !== 'keystone') return undefined;
  return createKeystoneValidator(keystone(), config.identity, clock);
}

export function authenticatorOf({ policy, config }: ServiceDeps, identity: TokenValidator): Authenticator {
  return { authenticate: (request) => authenticate({ identity, policy, config }, request) };
}
