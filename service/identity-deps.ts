import { createIdentity, type Identity } from '../core/identity/identity.ts';
import { createTokenSigner } from '../core/identity/token.ts';
import { type ApiDeps, authenticatorOf, keystoneOf } from './api-deps.ts';
import { type ServiceDeps, serviceDeps } from './deps.ts';
import { optional, required } from './environment.ts';
import { keysIn } from './token-keys.ts';

/** Of the process that serves identity, and of a machine that is one process. */
export interface IdentityDeps extends ApiDeps {
  /** Absent where an existing Keystone issues the tokens. */
  readonly identity?: Identity;
  /** By which the edge is known (api/client-address.ts). */
  readonly edgeSecret?: string;
}

let built: Promise<IdentityDeps> | undefined;

/** Built once per process, with the private keys. @throws EnvironmentError, ConfigError */
export function identityDeps(): Promise<IdentityDeps> {
  built ??= createIdentityDeps();
  return built;
}

async function createIdentityDeps(): Promise<IdentityDeps> {
  const deps = await serviceDeps();
  const edgeSecret = optional(process.env, 'edgeSecret');
  const edge = edgeSecret === undefined ? {} : { edgeSecret };
  const keystone = keystoneOf(deps);
  if (keystone !== undefined) return { ...deps, ...edge, authenticator: authenticatorOf(deps, keystone) };
  const identity = await identityOf(deps);
  return { ...deps, ...edge, identity, authenticator: authenticatorOf(deps, identity) };
}

async function identityOf({ identityRecords, clock, newId, config }: ServiceDeps): Promise<Identity> {
  return createIdentity({
    repository: identityRecords,
    clock,
    newId,
    signer: await createTokenSigner(keysIn('signingKeys', required(process.env, 'signingKeys'))),
    tokenLifetimeSeconds: config.identity.token_expiration,
  });
}
