import type { Config } from '../config.ts';

/** Image services of other regions, as the catalog of who asks names them (contract: import.md section 2, glance-download). */
export interface Peers {
  /**
   * URL of the image service of a region, without version and without a slash at its end; undefined when the catalog has none.
   * @param token of who asks, scoped to a project
   * @param facing `public`, `internal`, `admin`, or what a caller took for an interface
   * @throws BackendUnavailable when the catalog cannot be asked for
   */
  imageService(token: string, region: string, facing: string): Promise<string | undefined>;
}

/** The interfaces that a catalog knows. */
const FACINGS = ['public', 'internal', 'admin'];

/** Of a verb that begins imports. */
export interface WithPeers {
  readonly peers: Peers;
}

/** Those of the own identity service's catalog: every interface has the same address. */
export function configuredPeers({ region_name, public_endpoint, identity }: Config): Peers {
  const known = new Map(identity.peer_regions.map(({ region, image_url }) => [region, image_url]));
  if (public_endpoint !== undefined) known.set(region_name, public_endpoint);
  return {
    async imageService(_token, region, facing) {
      const url = FACINGS.includes(facing) ? known.get(region) : undefined;
      return url === undefined ? undefined : unversioned(url);
    },
  };
}

/** Catalogs name image services with a version or without. */
export const unversioned = (url: string): string => url.replace(/\/+$/, '').replace(/\/v\d+(\.\d+)?$/, '');
