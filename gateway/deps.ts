import type { Places } from '../aws/s3/places.ts';
import type { Authenticator, Deps } from '../core/ports.ts';

/** What the data plane works with: the domain's ports, who the caller is, and the buckets themselves. */
export interface GatewayDeps
  extends Pick<
    Deps,
    'config' | 'clock' | 'newId' | 'images' | 'members' | 'imageList' | 'limits' | 'policy' | 'duties' | 'bytes' | 'log'
  > {
  readonly authenticator: Authenticator;
  readonly places: Places;
}
