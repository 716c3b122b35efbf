/** The catalog's routes (group `metadefs` of api/routes.ts) as one entry point, built from the dependencies of a process. */
import type { GroupOperations } from '../../../api/routes.ts';
import type { Authenticator } from '../../../core/identity/authenticator.ts';
import type { Log } from '../../../core/log.ts';
import type { MetadefDeps } from '../../../core/metadefs/access.ts';
import type { ApiHandler } from '../chain.ts';
import { createImageService } from '../image-service.ts';
import { metadefTagOperations, objectOperations, propertyOperations } from './children.ts';
import { documentOperations } from './documents.ts';
import { namespaceOperations } from './namespaces.ts';

/** Builds the handler of payload-v2 events. Stateless: any number may run side by side. */
export function createMetadefsApi(
  deps: MetadefDeps & { readonly log: Log },
  { authenticator }: { readonly authenticator: Authenticator },
): ApiHandler {
  const { config, newId, log } = deps;
  return createImageService<GroupOperations<'metadefs'>>({
    handlers: {
      ...namespaceOperations(deps),
      ...propertyOperations(deps),
      ...objectOperations(deps),
      ...metadefTagOperations(deps),
      ...documentOperations(),
    },
    config,
    authenticator,
    newId,
    log,
  });
}
