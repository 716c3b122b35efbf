import type { CatalogPlace } from '../../../api/identity/views.ts';
import type { Config } from '../../../core/config.ts';

interface Sent {
  readonly baseUrl: string;
  readonly path: string;
}

/** URL of the identity service without version. No slash at the end. */
export const serviceOf = ({ baseUrl }: Pick<Sent, 'baseUrl'>): string => `${baseUrl}/identity`;
/** The same with the version, for links to records. */
export const v3Of = (request: Pick<Sent, 'baseUrl'>): string => `${serviceOf(request)}/v3`;
/** URL of a request without its query. */
export const selfOf = ({ baseUrl, path }: Sent): string => baseUrl + path;

export type CatalogConfig = Pick<Config, 'region_name' | 'identity' | 'signed_images'>;

/** Where the catalog says that the services are, and the image services of other regions. */
export const placeOf = (
  request: Pick<Sent, 'baseUrl'>,
  { region_name: region, identity, signed_images: { key_manager, barbican_endpoint } }: CatalogConfig,
): CatalogPlace => ({
  region,
  peers: identity.peer_regions.map((peer) => ({ region: peer.region, imageUrl: peer.image_url })),
  imageUrl: request.baseUrl,
  identityUrl: serviceOf(request),
  keyManagerUrl: key_manager === 'barbican' ? barbican_endpoint : undefined,
});
