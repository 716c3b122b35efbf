/** The identity routes (group `identity` of api/routes.ts) as one entry point, built from the dependencies of a process. */
import type { EdgeOptions } from '../../../api/edge.ts';
import type { Identity } from '../../../core/identity/identity.ts';
import type { ApiHandler } from '../chain.ts';
import { createIdentityService } from '../identity-service.ts';
import { credentialOperations } from './credentials.ts';
import { directoryOperations } from './directory.ts';
import { grantOperations } from './grants.ts';
import { tokenOperations } from './tokens.ts';

export interface IdentityApiDeps extends EdgeOptions {
  /** Absent where an existing Keystone issues the tokens: then every request is answered with its address. */
  readonly identity?: Identity;
  /** By which an edge is known that says where a log-in comes from; absent: it comes from who connected. */
  readonly edgeSecret?: string;
}

/** Builds the handler of payload-v2 events. Stateless: any number may run side by side. */
export function createIdentityApi({ identity, edgeSecret, ...options }: IdentityApiDeps): ApiHandler {
  const { config } = options;
  if (identity === undefined || config.identity.mode === 'keystone') return createIdentityService(options, undefined);
  const handlers = {
    ...tokenOperations(identity, config),
    ...directoryOperations(identity),
    ...grantOperations(identity),
    ...credentialOperations(identity),
  };
  return createIdentityService(options, { handlers, identity, edgeSecret });
}
