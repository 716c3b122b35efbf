import { z } from 'zod';
import { type Peers, unversioned } from '../core/imports/peers.ts';
import { askAt } from './ask.ts';
import { bodyOf } from './connection.ts';

/** Body of Keystone's `GET /v3/auth/catalog`, as far as it is used (contract: identity.md section 3). */
const CatalogView = z.object({
  catalog: z.array(
    z.object({
      type: z.string(),
      endpoints: z
        .array(z.object({ interface: z.string(), region_id: z.string().nullish(), url: z.string() }))
        .default([]),
    }),
  ),
});

/** The peers in the catalog that an existing Keystone shows the holder of a token. @param authUrl with or without `/v3` */
export function createCatalogPeers(authUrl: string): Peers {
  const ask = askAt(authUrl);
  return {
    async imageService(token, region, facing) {
      const answer = await ask('/auth/catalog', { method: 'GET', headers: { 'x-auth-token': token } });
      // A token without a project has no catalog.
      if (answer.status === 401 || answer.status === 403) {
        await answer.body?.cancel();
        return undefined;
      }
      const { catalog } = await bodyOf(answer, CatalogView, 'a request for the catalog');
      const found = catalog
        .filter(({ type }) => type === 'image')
        .flatMap(({ endpoints }) => endpoints)
        .find((endpoint) => endpoint.interface === facing && endpoint.region_id === region);
      return found === undefined ? undefined : unversioned(found.url);
    },
  };
}
