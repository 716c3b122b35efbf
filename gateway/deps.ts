import type { Places } from '../bytes/places.ts';
import type { Deps } from '../core/deps.ts';
import type { Authenticator } from '../core/identity/authenticator.ts';

/** What the data plane works with: the domain's ports, who the caller is, and the buckets themselves. */
export interface GatewayDeps
  extends Pick<
    Deps,
    | 'config'
    | 'clock'
    | 'newId'
    | 'images'
    | 'members'
    | 'imageList'
    | 'usage'
    | 'limits'
    | 'lookUps'
    | 'keyManager'
    | 'policy'
    | 'duties'
    | 'bytes'
    | 'log'
  > {
  readonly authenticator: Authenticator;
  readonly places: Places;
}
